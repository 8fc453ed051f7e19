import { expect, test } from 'vitest';
import { networkParameters } from '../../models/parameters.js';
import { collate } from '../../preprocessing/model-inputs.js';
import { modelSpec } from '../../training/config.js';
import { randomState } from '../../training/initial-state.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { Native } from '../../training/tensorflow/native.js';
import { Evaluator } from '../../training/tensorflow/predictor.js';
import { NetworkVariables } from '../../training/tensorflow/variables.js';

/** Most tensors alive at once while `work` runs, beyond those alive before. */
function mostAlive(native: Native, work: () => void): number {
  const before = native.tensorCount;
  let most = 0;
  const stop = native.observe(() => {
    most = Math.max(most, native.tensorCount - before);
  });
  work();
  stop();
  return most;
}

test.each(['face', 'text'] as const)(
  'an evaluation pass of the %s network frees values as it goes, leaks none, and answers the same each time',
  async (mode) => {
    const native = await Native.load();
    const spec = modelSpec(parseTrainConfig({ mode, face_coeff: 'tiny' }), 200);
    const parameters = networkParameters(spec);
    const variables = new NetworkVariables(native, parameters, randomState(parameters, 3));
    const pixels = Uint8Array.from({ length: 3 * 56 * 56 * 3 }, (_, i) => (i * 7919) % 251);
    const words = Float32Array.from({ length: 3 * 200 }, (_, i) => Math.sin(i));
    const clip = {
      speech: null,
      face: mode === 'face' ? { data: pixels, length: 3 } : null,
      text: mode === 'text' ? { data: words, length: 3 } : null,
    };
    const batch = collate([clip, clip], spec);
    const evaluator = new Evaluator(native, variables, spec);
    // The first pass is over a tiny batch and keeps everything, to see when each value is needed for the last time.
    const keptByAll = mostAlive(native, () => evaluator.predict(batch));
    const first = evaluator.predict(batch);
    const alive = native.tensorCount;
    const keptByPlan = mostAlive(native, () => {
      expect(evaluator.predict(batch)).toEqual(first);
    });
    expect(native.tensorCount).toBe(alive);
    // Of about a hundred values a network of this depth needs a residual branch and a few more at once.
    expect(keptByPlan).toBeLessThan(keptByAll / 3);
    variables.dispose();
  },
);
