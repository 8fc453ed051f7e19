import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../../common/files.js';
import { EMOTION_COUNT } from '../../../common/labels.js';
import { changeBytes } from '../../../training/data/brightness.js';
import { smoothedTargets } from '../../../training/data/targets.js';
import { softCrossEntropy } from '../../../training/tensorflow/loss.js';
import { Native } from '../../../training/tensorflow/native.js';
import { Tape } from '../../../training/tensorflow/tape.js';
import { TensorFlowOps } from '../../../training/tensorflow/tensorflow-ops.js';

const numbers = z.array(z.number());
const adjusted = z.object({ 'a1.2_b0.3': numbers, 'a0.7_b-0.4': numbers, 'a1.5_b0.0': numbers });
const goldenSchema = z.object({
  labels: z.object({ '0': z.array(numbers), '0.1': z.array(numbers) }),
  normalize: z.object({ zero: numbers, v255: numbers }),
  soft_ce: z.object({ logits: z.array(numbers), target: z.array(numbers), loss: z.number() }),
  'brightness_contrast_albumentations_1.3.1_scalar_alpha': adjusted,
  'brightness_contrast_albumentations_0.5.2': adjusted.extend({ input: numbers }),
});
const file = path.join(import.meta.dirname, '../../golden/data_pipeline.json');
const golden = await readJson(file, goldenSchema);
const native = await Native.load();

/** The golden labels are hap, sad and neu. */
const LABELS = [0, 4, 5];

describe('what the reference does with data', () => {
  test.each(['0', '0.1'] as const)('label smoothing of %s', (smoothing) => {
    const examples = LABELS.map((label) => ({ labels: { inte: label, face: label, speech: label } }));
    const targets = smoothedTargets(examples, Number(smoothing));
    for (const rows of [targets.inte, targets.face, targets.speech]) {
      // float32 of the same fractions, which may be computed in another order
      for (const [i, value] of golden.labels[smoothing].flat().entries()) expect(rows[i]).toBeCloseTo(value, 7);
    }
  });

  test('soft cross-entropy', () => {
    const { logits, target, loss } = golden.soft_ce;
    const clips = logits.length;
    const tensor = (rows: number[][]) => native.floats([clips, EMOTION_COUNT], Float32Array.from(rows.flat()));
    const tape = new Tape(native);
    const weights = native.floats([clips], new Float32Array(clips).fill(1 / clips));
    const computed = native.read(softCrossEntropy(tape, tensor(logits), tensor(target), weights))[0];
    expect(computed).toBeCloseTo(loss, 6);
    tape.clear();
  });

  test('normalisation of pixels', () => {
    const tape = new Tape(native);
    const ops = new TensorFlowOps(tape, { get: missing, replace: missing }, EVALUATION);
    const pixels = {
      tensor: native.bytes([1, 1, 1, 2, 3], Uint8Array.of(0, 0, 0, 255, 255, 255)),
      lengths: native.ints([1], Int32Array.of(1)),
      gain: 1,
    };
    const images = ops.normalizeFrames(pixels, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    // The golden is float64, ours float32 of values up to 2.7.
    for (const [i, value] of [...golden.normalize.zero, ...golden.normalize.v255].entries()) {
      expect(native.read(images)[i]).toBeCloseTo(value, 6);
    }
    tape.clear();
  });

  test.each([
    ['default', 'brightness_contrast_albumentations_1.3.1_scalar_alpha'],
    ['seed', 'brightness_contrast_albumentations_0.5.2'],
  ] as const)('brightness and contrast of bytes, compat %s', (compat, version) => {
    for (const [name, expected] of Object.entries(golden[version])) {
      const values = /^a([\d.]+)_b(-?[\d.]+)$/.exec(name);
      if (!values) continue;
      const data = Uint8Array.from(golden['brightness_contrast_albumentations_0.5.2'].input);
      changeBytes(data, Number(values[1]), Number(values[2]), compat);
      expect([...data], name).toEqual(expected);
    }
  });
});

const EVALUATION = { training: false, frozen: () => true, seed: () => 0 };

function missing(name: string): never {
  throw new Error(`no parameter ${name} is needed`);
}
