import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { centralizeGradient } from '../../training/flat-parameters.js';
import { createOptimizer } from '../../training/optimizers/index.js';
import { FlatVariable } from '../../training/tensorflow/flat-variable.js';
import { Native } from '../../training/tensorflow/native.js';

const numbers = z.array(z.number());
const runSchema = z.object({
  W0: numbers,
  b0: numbers,
  trace: z.array(z.object({ grad_W: numbers, grad_b: numbers, W: numbers, b: numbers })),
});
const traceSchema = z.object({
  wd0: runSchema,
  wd5e_5: runSchema,
  wd1e_2_lr1e_1: runSchema,
  'sgd_nesterov_lr3e-2_wd5e-5': runSchema,
  'adamw_lr4e-3_wd1e-5': runSchema,
});

const native = await Native.load();
const traces = await readJson(path.join(import.meta.dirname, '../golden/ranger_trace.json'), traceSchema);

describe('optimizers follow the traces of their PyTorch originals over 30 steps', () => {
  test.each([
    { run: 'wd0', optim: 'ranger', learningRate: 4e-3, weightDecay: 0 },
    { run: 'wd5e_5', optim: 'ranger', learningRate: 4e-3, weightDecay: 5e-5 },
    { run: 'wd1e_2_lr1e_1', optim: 'ranger', learningRate: 1e-1, weightDecay: 1e-2 },
    { run: 'sgd_nesterov_lr3e-2_wd5e-5', optim: 'sgd', learningRate: 3e-2, weightDecay: 5e-5 },
    { run: 'adamw_lr4e-3_wd1e-5', optim: 'adamw', learningRate: 4e-3, weightDecay: 1e-5 },
  ] as const)('$run', ({ run, optim, learningRate, weightDecay }) => {
    const { W0, b0, trace } = traces[run];
    const optimizer = createOptimizer(native, optim, weightDecay);
    const parameters = new FlatVariable(native, native.floats([15], Float32Array.of(...W0, ...b0)));
    for (const [step, expected] of trace.entries()) {
      let matrix = native.floats([3, 4], Float32Array.from(expected.grad_W));
      if (optimizer.centralizesGradients)
        matrix = centralizeGradient(native, matrix, { layout: 'plain', shape: [3, 4] });
      const gradient = native.floats([15], Float32Array.of(...native.read(matrix), ...expected.grad_b));
      optimizer.update(parameters, gradient, learningRate, step);
      const values = native.read(parameters.read());
      // Both sides compute in float32; 1e-6 is a few units in the last place of values near 1.
      for (const [i, value] of [...expected.W, ...expected.b].entries()) {
        expect(Math.abs(values[i]! - value), `step ${step + 1}, parameter ${i}`).toBeLessThan(1e-6);
      }
    }
  });

  test('a restored optimizer goes on as the one that was stored', () => {
    const { W0, b0, trace } = traces.wd5e_5;
    const gradients = trace.map(({ grad_W, grad_b }) => Float32Array.of(...grad_W, ...grad_b));
    const first = createOptimizer(native, 'ranger', 5e-5);
    const parameters = new FlatVariable(native, native.floats([15], Float32Array.of(...W0, ...b0)));
    let restored: FlatVariable | null = null;
    let second = createOptimizer(native, 'ranger', 5e-5);
    for (const [step, gradient] of gradients.entries()) {
      first.update(parameters, native.floats([15], gradient.slice()), 4e-3, step);
      if (step === 9) {
        second = createOptimizer(native, 'ranger', 5e-5);
        second.restore(first.state());
        restored = new FlatVariable(native, native.floats([15], native.read(parameters.read())));
      } else if (restored) {
        second.update(restored, native.floats([15], gradient.slice()), 4e-3, step);
      }
    }
    expect(native.read(restored!.read())).toEqual(native.read(parameters.read()));
  });
});
