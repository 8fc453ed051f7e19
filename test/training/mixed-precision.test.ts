import { describe, expect, test } from 'vitest';
import { EMOTION_COUNT } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { networkParameters } from '../../models/parameters.js';
import { collate } from '../../preprocessing/model-inputs.js';
import { modelSpec } from '../../training/config.js';
import type { TrainingBatch } from '../../training/data/batches.js';
import { randomState } from '../../training/initial-state.js';
import { LossScale } from '../../training/loss-scale.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { TrainingSession } from '../../training/session.js';
import { Native } from '../../training/tensorflow/native.js';

const CLIPS = 7;
const FRAMES = 2;
const SIDE = 56;
const STEPS = 50;
const FLOAT32 = 1;
const BFLOAT16 = 14;
const HALF = 19;

/** Clips whose class shows in the rows that are bright. */
function faceBatch(): TrainingBatch {
  const random = Random.for(5, 'mixed precision test');
  const inputs = Array.from({ length: CLIPS }, (_, clip) => {
    const bright = (i: number) => Math.floor((i % (SIDE * SIDE * 3)) / (SIDE * 3 * 8)) === clip;
    const data = Uint8Array.from(
      { length: FRAMES * SIDE * SIDE * 3 },
      (__, i) => random.integer(100) + (bright(i) ? 150 : 0),
    );
    return { speech: null, face: { data, length: FRAMES }, text: null };
  });
  const rows = () =>
    Float32Array.from({ length: CLIPS * EMOTION_COUNT }, (_, i) =>
      Number(i % EMOTION_COUNT === Math.floor(i / EMOTION_COUNT)),
    );
  return {
    batch: collate(inputs, { faceSize: SIDE, wordDim: 200 }),
    targets: { inte: rows(), face: rows(), speech: rows() },
    observed: new Float32Array(CLIPS * 3).fill(1),
    stems: inputs.map((_, clip) => `clip ${clip}`),
  };
}

async function faceSession(amp: boolean): Promise<TrainingSession> {
  const config = parseTrainConfig({ mode: 'face', face_coeff: 'tiny', optim: 'adamw', batch_size: CLIPS, amp });
  const spec = modelSpec(config, 200);
  return TrainingSession.create(spec, config, randomState(networkParameters(spec), 3), undefined, { dropout: false });
}

describe('mixed precision on the processor', () => {
  test('the loss stays within 2 % of that of float32 over 50 steps', async () => {
    const batch = faceBatch();
    const [exact, mixed] = [await faceSession(false), await faceSession(true)];
    let [exactSum, mixedSum] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      exactSum += exact.train(batch, 3e-4).loss;
      mixedSum += mixed.train(batch, 3e-4).loss;
    }
    // The area under the loss curve: single steps of two float formats scatter around it.
    expect(Math.abs(mixedSum - exactSum) / exactSum).toBeLessThan(0.02);
    exact.dispose();
    mixed.dispose();
  });

  test('convolutions and matrix products run in bfloat16; losses, statistics and the optimizer in float32', async () => {
    const session = await faceSession(true);
    const types = new Map<string, Set<number>>();
    const stop = session.native.observe((kernel, inputs, outputs) => {
      const seen = types.get(kernel) ?? new Set();
      // Sizes and axes are integers; what counts is in what the values are.
      for (const { dtype } of [...inputs, ...outputs]) if ([FLOAT32, BFLOAT16, HALF].includes(dtype)) seen.add(dtype);
      types.set(kernel, seen);
    });
    session.train(faceBatch(), 1e-4);
    stop();
    for (const kernel of ['Conv2D', 'Conv2DBackpropFilter', 'Conv2DBackpropInput', 'DepthwiseConv2dNative']) {
      expect([...types.get(kernel)!], kernel).toEqual([BFLOAT16]);
    }
    for (const kernel of ['SoftmaxCrossEntropyWithLogits', 'ResourceApplyAdam', 'BlockLSTMV2']) {
      expect([...types.get(kernel)!], kernel).toEqual([FLOAT32]);
    }
    // The linear layers multiply in bfloat16; the LSTM's own backward products stay exact.
    expect(types.get('MatMul')).toContain(BFLOAT16);
    session.dispose();
  });
});

describe('loss scaling for half precision', () => {
  test('leaves out a step that overflows and halves the scale; doubles it after 2000 good ones', async () => {
    const native = await Native.load();
    const scale = new LossScale(native, true);
    const start = scale.value;
    expect(scale.unscale(native.floats([2], Float32Array.of(1, Number.POSITIVE_INFINITY)))).toBeNull();
    expect(scale.value).toBe(start / 2);
    const gradient = scale.unscale(native.floats([1], Float32Array.of(start)))!;
    expect(native.read(gradient)[0]).toBe(2);
    for (let step = 1; step < 2000; step++) native.free(scale.unscale(native.floats([1], Float32Array.of(1)))!);
    expect(scale.value).toBe(start);
  });
});
