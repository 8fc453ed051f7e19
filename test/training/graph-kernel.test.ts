import { beforeAll, describe, expect, it, test } from 'vitest';
import { Random } from '../../common/random.js';
import { networkParameters } from '../../models/parameters.js';
import { encoderLayer } from '../../models/text.js';
import { modelSpec } from '../../training/config.js';
import { FlatParameters } from '../../training/flat-parameters.js';
import { randomState } from '../../training/initial-state.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { GraphKernel } from '../../training/tensorflow/graph-kernel.js';
import { swish } from '../../training/tensorflow/image-primitives.js';
import { elementsOf, Native, type Tensor } from '../../training/tensorflow/native.js';
import { reshape, sumAxis } from '../../training/tensorflow/primitives.js';
import { Tape } from '../../training/tensorflow/tape.js';
import { type TensorFlowKinds, TensorFlowOps } from '../../training/tensorflow/tensorflow-ops.js';
import { NetworkVariables } from '../../training/tensorflow/variables.js';

let native: Native;
beforeAll(async () => {
  native = await Native.load();
});

/** Calls the kernels of every graph one by one; with `usesGpu` those that it would call on a GPU. */
function withoutGraphs(usesGpu: boolean): Native {
  const oneByOne: Native = new Proxy(native, {
    get(target, property) {
      if (property === 'usesGpu') return usesGpu;
      if (property === 'runGraph') {
        return (kernel: GraphKernel<string, string>, inputs: Record<string, Tensor>) =>
          kernel.compute(oneByOne, inputs);
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return oneByOne;
}

/** Whether all bytes are: much faster than to compare number by number. */
function same(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    Buffer.compare(
      Buffer.from(a.buffer, a.byteOffset, a.byteLength),
      Buffer.from(b.buffer, b.byteOffset, b.byteLength),
    ) === 0
  );
}

const [BATCH, TIME, FEATURES, HEADS] = [3, 5, 200, 4];
const SHAPES: Record<string, number[]> = {
  x: [BATCH, TIME, FEATURES],
  'self_attn.in_proj_weight': [3 * FEATURES, FEATURES],
  'self_attn.in_proj_bias': [3 * FEATURES],
  'self_attn.out_proj.weight': [FEATURES, FEATURES],
  'self_attn.out_proj.bias': [FEATURES],
  'norm1.weight': [FEATURES],
  'norm1.bias': [FEATURES],
  'linear1.weight': [2048, FEATURES],
  'linear1.bias': [2048],
  'linear2.weight': [FEATURES, 2048],
  'linear2.bias': [FEATURES],
  'norm2.weight': [FEATURES],
  'norm2.bias': [FEATURES],
};

/** What an encoder layer gives for a batch with padding, and the gradients of it and its parameters. */
function encode(on: Native, training: boolean, computeType: number): Map<string, Float32Array> {
  const random = new Random(5);
  const draw = (shape: number[]) => Float32Array.from({ length: elementsOf(shape) }, () => 0.1 * random.normal());
  const tensors = new Map(Object.entries(SHAPES).map(([name, shape]) => [name, native.floats(shape, draw(shape))]));
  const tape = new Tape(on, computeType);
  for (const tensor of tensors.values()) tape.watch(tensor);
  const variables = { get: (name: string) => tensors.get(name)!, replace: () => {} };
  let seed = 0;
  const ops = new TensorFlowOps(tape, variables, { training, frozen: () => false, seed: () => ++seed });
  const lengths = native.ints([BATCH], Int32Array.of(5, 3, 1));
  const output = encoderLayer<TensorFlowKinds>(ops, { tensor: tensors.get('x')!, lengths }, '', HEADS).tensor;
  const values = new Map([['output', native.read(output)]]);
  // Another weight for each: those of one sum would cancel out in the last normalisation.
  const [weights] = tape.keep(native.floats(SHAPES.x!, draw(SHAPES.x!)));
  const weighed = tape.record(tape.run('Mul', [output, weights!]), [output], (gradient) =>
    tape.accumulate(output, native.run('Mul', [gradient, weights!])),
  );
  const row = reshape(tape, weighed, [1, elementsOf(output.shape)]);
  tape.backward(reshape(tape, sumAxis(tape, row, 1), []));
  for (const [name, tensor] of tensors) {
    const gradient = tape.takeGradient(tensor)!;
    values.set(name, native.read(gradient));
    native.free(gradient, tensor);
  }
  native.free(lengths);
  return values;
}

describe('an encoder layer of graphs gives what its kernels give one by one', () => {
  // Only the order of sums in float32 may differ, and that of roundings in bfloat16.
  it.each([
    ['in training, with dropout', { training: true, usesGpu: false, half: false, tolerance: 1e-5 }],
    ['in evaluation, with the kernels for a GPU', { training: false, usesGpu: true, half: false, tolerance: 1e-5 }],
    ['in mixed precision', { training: true, usesGpu: false, half: true, tolerance: 2e-2 }],
  ])('%s', (_, { training, usesGpu, half, tolerance }) => {
    const computeType = half ? native.bfloat16 : native.float32;
    const expected = encode(withoutGraphs(usesGpu), training, computeType);
    const found = encode(native, training, computeType);
    for (const [name, values] of expected) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const others = found.get(name)!;
      const error = values.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i]!)), 0);
      expect(largest, name).toBeGreaterThan(0);
      expect(error / largest, name).toBeLessThan(tolerance);
    }
  });

  it.each([false, true])('and leaves no tensor behind (kernels of a GPU: %s)', (usesGpu) => {
    const both = () => [native, withoutGraphs(usesGpu)].map((on) => encode(on, true, native.float32));
    // Constants are made at the first time, and kept.
    both();
    const before = native.tensorCount;
    both();
    expect(native.tensorCount).toBe(before);
  });
});

test('swish of a graph is that of its kernels', () => {
  const values = Float32Array.from({ length: 200 }, (_, i) => i / 10 - 10);
  const [found, expected] = [native, withoutGraphs(true)].map((on) => {
    const x = native.floats([200], values);
    const tape = new Tape(on);
    tape.watch(x);
    const y = swish(tape, x);
    const output = native.read(y);
    tape.backward(reshape(tape, sumAxis(tape, y, 0), []));
    const gradient = tape.takeGradient(x)!;
    const slope = native.read(gradient);
    native.free(x, gradient);
    return [...output, ...slope];
  });
  // The graph's sigmoid may be another approximation.
  for (const [i, value] of expected!.entries()) expect(Math.abs(found![i]! - value)).toBeLessThan(1e-5);
});

test('the views of the parameters and the join of their gradients are those of their kernels', () => {
  const specs = networkParameters(modelSpec(parseTrainConfig({ mode: 'face', face_coeff: 'tiny' }), 200));
  const state = randomState(specs, 3);
  const trained = specs.filter(({ trainable }) => trainable);
  const gather = (on: Native) => {
    const variables = new NetworkVariables(on, specs, state);
    const parameters = new FlatParameters(on, variables, trained, { centralizesGradients: true });
    const tape = new Tape(on);
    parameters.watch(tape);
    // Any gradients; the last parameter gets none.
    for (const { name } of trained.slice(0, -1))
      tape.accumulate(variables.get(name), on.run('Relu', [variables.get(name)]));
    const vector = parameters.gatherGradients(tape);
    const gradients = native.read(vector);
    const viewed = variables.state();
    native.free(vector);
    tape.clear();
    variables.dispose();
    parameters.dispose();
    return { gradients, viewed };
  };
  // Constants are made at the first time, and kept.
  const [found, expected] = [gather(native), gather(withoutGraphs(false))];
  const before = native.tensorCount;
  for (const on of [native, withoutGraphs(false)]) gather(on);
  expect(native.tensorCount).toBe(before);
  expect(same(found.gradients, expected.gradients)).toBe(true);
  expect(found.gradients.some((value) => value !== 0)).toBe(true);
  for (const [name, { data }] of state) {
    for (const { viewed } of [found, expected]) expect(same(viewed.get(name)!.data, data), name).toBe(true);
  }
});

describe('a graph kernel', () => {
  test('is built once for inputs of any shape, which it knows by their names', () => {
    let built = 0;
    const difference = new GraphKernel<'a' | 'b', 'difference'>('Difference', (kernels, { a, b }) => {
      built++;
      return { difference: kernels.run('Sub', [a, b]) };
    });
    const differenceOf = (inputs: { a: Tensor; b: Tensor }) => {
      const result = native.runGraph(difference, inputs).difference;
      const values = native.read(result);
      native.free(result);
      return { shape: result.shape, values: new Set(values) };
    };
    for (const shape of [[2], [3, 4], []]) {
      const [a, b] = [native.filled(shape, 5), native.filled(shape, 3)];
      expect(differenceOf({ a, b })).toEqual({ shape, values: new Set([2]) });
      native.free(a, b);
    }
    expect(built).toBe(1);
    const [a, b] = [native.scalar(5), native.scalar(3)];
    expect(differenceOf({ b, a }).values).toEqual(new Set([2]));
    native.unload(difference);
  });

  test('fails with the words of TensorFlow', () => {
    const joined = new GraphKernel<'a' | 'b', 'sum'>('Sum', (kernels, { a, b }) => ({
      sum: kernels.run('AddV2', [a, b]),
    }));
    const inputs = { a: native.filled([2], 1), b: native.filled([3], 1) };
    expect(() => native.runGraph(joined, inputs)).toThrow('Incompatible shapes: [2] vs. [3]');
    native.free(...Object.values(inputs));
  });
});
