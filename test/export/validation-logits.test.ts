import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMOTION_COUNT } from '../../common/labels.js';
import { buildModels } from '../../export/build-models.js';
import { modelSources } from '../../export/model-sources.js';
import { findValidationClips, type ValidationClips, validationLogits } from '../../export/validation-logits.js';
import { loadClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { collate, evaluationInputs } from '../../preprocessing/model-inputs.js';
import { createPredictor } from '../../training/tensorflow/predictor.js';
import { makeTinyFeatures } from '../helpers/tiny-features.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

const state = tinyState();

/** What a checkpoint of this network says of the features that it was validated on. */
const CHECKPOINT = {
  spec: TINY_SPEC,
  file: 'run/1_best_1.9.safetensors',
  config: {} as Record<string, unknown>,
  maxFrames: 32,
  subject: 'largest',
  wordTable: null,
  metrics: {},
} as const;

let directory: string;
let features: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  features = path.join(directory, 'features');
  await makeTinyFeatures(features, {
    ...{ compat: 'default', train: 0, val: 4, wordDim: 24, faceFrames: 3 },
    without: (index) => (index === 1 ? ['face'] : index === 2 ? ['speech', 'text'] : []),
  });
});
afterAll(() => fsp.rm(directory, { recursive: true }));

describe('logits of the exported graphs', () => {
  test('are those of TensorFlow, for every head and for all that a clip has', async () => {
    const graphs = path.join(directory, 'graphs');
    await fsp.mkdir(graphs);
    await buildModels(modelSources({ spec: TINY_SPEC, state }, 'test'), graphs, 'test');
    const clips = await findValidationClips(CHECKPOINT, features);
    const { subsets, heads, records } = await validationLogits(graphs, TINY_SPEC, clips as ValidationClips);

    expect(Object.fromEntries(Object.entries(heads).map(([name, rows]) => [name, rows.clips]))).toEqual({
      speech: [0, 1, 3],
      face: [0, 2, 3],
      text: [0, 1, 3],
    });
    expect(Object.fromEntries(Object.entries(subsets).map(([name, rows]) => [name, rows.clips]))).toEqual({
      speech: [0, 1, 3],
      face: [0, 2, 3],
      text: [0, 1, 3],
      'speech+face': [0, 3],
      'speech+text': [0, 1, 3],
      'face+text': [0, 3],
      'speech+face+text': [0, 3],
    });
    const predictor = await createPredictor(TINY_SPEC, state, 'test');
    const whole = ['speech+face+text', 'speech+text', 'face', 'speech+face+text'];
    for (const [clip, record] of records.entries()) {
      const inputs = evaluationInputs(await loadClipFeatures(features, 'val', record), TINY_SPEC);
      const { logits, branches } = predictor.predict(collate([inputs], TINY_SPEC));
      const row = (rows: { clips: number[]; logits: Float32Array }) => {
        const start = rows.clips.indexOf(clip) * EMOTION_COUNT;
        return rows.logits.subarray(start, start + EMOTION_COUNT);
      };
      // The tolerance of the parity gate: float32 rounding through the networks.
      const expectEqual = (found: Float32Array, wanted: Float32Array) =>
        wanted.forEach((value, i) => void expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4 * Math.max(1, value)));
      expectEqual(row(subsets[whole[clip]!]!), logits.data);
      for (const [modality, head] of Object.entries(heads)) {
        if (head.clips.includes(clip)) expectEqual(row(head), branches[modality as 'speech']!.logits.data);
      }
    }
    predictor.dispose();
  });
});

describe('the validation clips of a checkpoint', () => {
  test('are found where the run had its features', async () => {
    const clips = await findValidationClips({ ...CHECKPOINT, config: { features } });
    expect(clips).toMatchObject({ featuresDir: features, records: { length: 4 } });
  });

  test.each([
    ['no folder is known', {}, {}, /does not say/],
    ['the folder is gone', { features: '/nonexistent' }, {}, /holds no labelled clip/],
    [
      'others lie there now',
      null,
      { metrics: { inte: { clips: 9, accuracy: 0, macroF1: 0, nll: 0 } } },
      /the run had 9/,
    ],
    ['they have other settings now', null, { maxFrames: 16 }, /keeps 32 frames/],
    ['their words are of another table', null, { wordTable: 'a'.repeat(64) }, /given as files/],
  ])('are missing with a reason when %s', async (_, config, changes, reason) => {
    const checkpoint = { ...CHECKPOINT, config: config ?? { features }, ...changes };
    expect(await findValidationClips(checkpoint)).toMatch(reason);
  });

  test('must fit where they are named', async () => {
    const other = { ...CHECKPOINT, maxFrames: 16 };
    await expect(findValidationClips(other, features)).rejects.toMatchObject({ code: 'bad_argument' });
    await expect(findValidationClips(CHECKPOINT, '/nonexistent')).rejects.toMatchObject({ code: 'not_found' });
  });
});
