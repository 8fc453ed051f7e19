import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBundle } from '../../common/bundle-files.js';
import { MODALITIES } from '../../common/labels.js';
import { softmax } from '../../common/metrics.js';
import { exportBundle } from '../../export/bundle.js';
import { listClips, loadClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { collate, evaluationInputs, type ModelInputs } from '../../preprocessing/model-inputs.js';
import { Engine } from '../../serving/engine/engine.js';
import { Network } from '../../serving/engine/network.js';
import { scoreViews } from '../../serving/engine/score-views.js';
import { wholeClip } from '../../serving/engine/scoring.js';
import { readCheckpoint } from '../../training/checkpoint.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { createPredictor } from '../../training/tensorflow/predictor.js';
import { train } from '../../training/train.js';
import { largestDifference } from '../helpers/onnx-files.js';
import { makeTinyFeatures } from '../helpers/tiny-features.js';

// Float32 of logits near 1, by two libraries: what the parity gate allows.
const TOLERANCE = 1e-4;

const CLIPS = { train: 6, val: 3, wordDim: 200, faceFrames: 24 };

let directory: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-seed-'));
  await makeTinyFeatures(path.join(directory, 'seed'), { ...CLIPS, compat: 'seed' });
  await makeTinyFeatures(path.join(directory, 'default'), { ...CLIPS, compat: 'default', faceFrames: 4 });
});
afterAll(() => fsp.rm(directory, { recursive: true }));

function config(mode: string, compat: 'default' | 'seed', flags: Record<string, unknown> = {}) {
  return parseTrainConfig({
    mode,
    compat,
    exp_name: compat,
    features: path.join(directory, compat),
    logs: path.join(directory, 'logs'),
    speech_coeff: 'tiny',
    face_coeff: 'tiny',
    text_layers: 1,
    batch_size: 3,
    n_epoch: 1,
    warmup: 1,
    mixup_prob: 0.5,
    mixup_alpha: 1,
    ...flags,
  });
}

const run = (mode: string, compat = 'seed') => path.join(directory, 'logs', mode, compat);

describe('compat seed, from features to scores', () => {
  test('trains every mode; the bundle serves what TensorFlow computes for a clip alone', async () => {
    for (const mode of MODALITIES) await train(config(mode, 'seed'));
    const weights = Object.fromEntries(MODALITIES.map((mode) => [`${mode}_load_weights`, run(mode)]));
    await train(config('multimodal', 'seed', { ...weights, lam: 0.5 }));

    const out = path.join(directory, 'bundle');
    const bundle = await exportBundle({ run: run('multimodal'), out });
    expect(bundle).toMatchObject({ compat: 'seed', preprocessing: { wordDim: 200, maxWords: 38 } });

    const { spec, state, file } = await readCheckpoint(run('multimodal'));
    const predictor = await createPredictor(spec, state, file);
    const engine = await Engine.create(out, { device: 'cpu', workers: 0 });
    try {
      for (const record of await listClips(path.join(directory, 'seed'), 'val')) {
        const features = await loadClipFeatures(path.join(directory, 'seed'), 'val', record);
        const expected = predictor.predict(collate([evaluationInputs(features, spec)], spec));
        // Not calibrated: there is nothing to fit temperatures on in clips of the training of one epoch.
        const { scores, modalities } = await engine.predictFeatures(features);
        expect(largestDifference(scores, softmax(expected.logits.data))).toBeLessThan(TOLERANCE);
        for (const modality of MODALITIES) {
          const wanted = softmax(expected.branches[modality]!.logits.data);
          expect(largestDifference(modalities[modality]!, wanted)).toBeLessThan(TOLERANCE);
        }
      }
    } finally {
      predictor.dispose();
      await engine.dispose();
    }
  });

  test('clips that are served together get the scores that each gets alone', async () => {
    const out = path.join(directory, 'bundle');
    const bundle = await readBundle(out);
    const spec = { ...bundle.preprocessing, compat: bundle.compat };
    const clips: ModelInputs[] = [];
    for (const record of await listClips(path.join(directory, 'seed'), 'val')) {
      clips.push(evaluationInputs(await loadClipFeatures(path.join(directory, 'seed'), 'val', record), spec));
    }
    const network = await Network.create(out, bundle, 'cpu', 1, clips.length);
    const together = await scoreViews(network, clips.map(wholeClip));
    for (const [index, clip] of clips.entries()) {
      const [alone] = await scoreViews(network, [wholeClip(clip)]);
      const fused = (scored: typeof alone) => scored!.combinations[0]!['speech+face+text']!;
      expect(largestDifference(fused(together[index]), fused(alone))).toBeLessThan(TOLERANCE);
    }
    await network.dispose();
  });

  test('features of the other mode are refused, both modes named', async () => {
    const features = path.join(directory, 'default');
    await expect(train(config('speech', 'seed', { exp_name: 'mixed', features }))).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringMatching(/compat default.*compat seed/),
    });
  });

  test('checkpoints of the other mode are refused, both modes named', async () => {
    await train(config('text', 'default'));
    const weights = { text_load_weights: run('text', 'default'), exp_name: 'mixed' };
    await expect(train(config('multimodal', 'seed', weights))).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringMatching(/compat default.*compat seed/),
    });
  });

  test('words that are not of 200 numbers are refused where they are read', async () => {
    const features = path.join(directory, 'short-words');
    await makeTinyFeatures(features, { ...CLIPS, compat: 'seed', wordDim: 24, train: 2, val: 1 });
    await expect(train(config('text', 'seed', { exp_name: 'short', features }))).rejects.toThrow(/24 numbers.*200/);
  });
});
