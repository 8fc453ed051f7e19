import { describe, expect, test } from 'vitest';
import { EMOTION_COUNT } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { networkParameters } from '../../models/parameters.js';
import { collate } from '../../preprocessing/model-inputs.js';
import { modelSpec } from '../../training/config.js';
import type { TrainingBatch } from '../../training/data/batches.js';
import { randomState } from '../../training/initial-state.js';
import { planMicroBatch, splitBatch } from '../../training/micro-batch.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { TrainingSession } from '../../training/session.js';

const CLIPS = 11;
const GIGABYTE = 2 ** 30;

function textBatch(clips: number, wordDim: number): TrainingBatch {
  const random = Random.for(7, 'micro-batch test');
  const spec = { faceSize: 56, wordDim };
  const inputs = Array.from({ length: clips }, () => {
    const length = 3 + random.integer(6);
    return { speech: null, face: null, text: { data: floats(length * wordDim, () => random.normal()), length } };
  });
  const rows = () =>
    floats(clips * EMOTION_COUNT, (i) => Number(i % EMOTION_COUNT === Math.floor(i / EMOTION_COUNT) % 7));
  return {
    batch: collate(inputs, spec),
    targets: { inte: rows(), face: rows(), speech: rows() },
    observed: new Float32Array(clips * 3).fill(1),
    stems: inputs.map((_, clip) => `clip ${clip}`),
  };
}

const floats = (length: number, draw: (i: number) => number) => Float32Array.from({ length }, (_, i) => draw(i));

/** The parameters after one plain step of SGD without momentum yet: they differ from the start by the gradient. */
async function stepped(microBatch: number | 'auto') {
  const flags = { mode: 'text', optim: 'sgd', text_layers: 2, weight_decay: 0, clip_norm: 0, ema: 0 };
  const config = parseTrainConfig({ ...flags, micro_batch: microBatch });
  const spec = modelSpec(config, 200);
  const session = await TrainingSession.create(spec, config, randomState(networkParameters(spec), 3), undefined, {
    dropout: false,
  });
  const { loss } = session.train(textBatch(CLIPS, 200), 1);
  const state = session.variables.state();
  session.dispose();
  return { loss, state };
}

describe('micro-batches', () => {
  // Sums of float32 in another order; parameters are under 1 in magnitude.
  test.each([1, 3, 5])('of %i clips give the gradients of the whole batch (text, no dropout)', async (size) => {
    const [whole, parts] = [await stepped(CLIPS), await stepped(size)];
    expect(Math.abs(parts.loss - whole.loss)).toBeLessThan(1e-6 * Math.abs(whole.loss) + 1e-6);
    let largest = 0;
    for (const [name, tensor] of whole.state) {
      const other = parts.state.get(name)!;
      tensor.data.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(Number(value) - Number(other.data[i])));
      });
    }
    expect(largest).toBeLessThan(1e-6);
  });

  test('hold every clip once and are nearly equal', () => {
    const parts = splitBatch(textBatch(CLIPS, 8), 4);
    expect(parts.flatMap(({ training }) => training.stems)).toEqual(textBatch(CLIPS, 8).stems);
    expect(parts.map(({ training }) => training.batch.clips)).toEqual([3, 4, 4]);
    const shares = parts.flatMap(({ weights }) => [...weights.inte]);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  });

  test('are as large as the free memory takes', () => {
    const perClip = GIGABYTE / 2;
    const plan = planMicroBatch(64, (clips) => GIGABYTE + clips * perClip, GIGABYTE, 16 * GIGABYTE);
    expect(plan.microBatch).toBe(20);
    expect(plan.wholeBytes).toBe(34 * GIGABYTE);
    expect(planMicroBatch(8, (clips) => clips * perClip, 0, 16 * GIGABYTE).microBatch).toBe(8);
  });
});
