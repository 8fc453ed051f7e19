import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMOTIONS } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { readCheckpoint } from '../../training/checkpoint.js';
import type { TrainConfig } from '../../training/config.js';
import { train } from '../../training/train.js';
import { makeWordFeatures, wordRun } from '../helpers/word-features.js';

const CLIPS = 220;
const SEED = 5;

let directory: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-train-'));
  await makeWordFeatures(path.join(directory, 'features'), CLIPS, SEED);
});
afterAll(() => fsp.rm(directory, { recursive: true }));

function textRun(name: string, flags: Record<string, unknown> = {}): TrainConfig {
  return wordRun(directory, name, { n_epoch: 8, ...flags });
}

describe('mer train on the words of the demo corpus', () => {
  test('learns what unseen speakers mean, and writes the best checkpoint, status and metrics', async () => {
    const { run, metrics } = await train(textRun('learns'));
    expect(metrics.inte!.accuracy).toBeGreaterThan(0.4);
    const names = await fsp.readdir(run);
    expect(names.filter((name) => /^\d+_best_\d\.\d{4}\.safetensors$/.test(name))).toHaveLength(1);
    expect(names).toEqual(expect.arrayContaining(['metrics.csv', 'resume.safetensors', 'saved_status.json']));
    const checkpoint = await readCheckpoint(run);
    expect(checkpoint.spec.mode).toBe('text');
    expect(checkpoint.config).toMatchObject({ exp_name: 'learns', batch_size: 16 });
  });

  test('trained on shuffled labels it falls to chance', async () => {
    const features = path.join(directory, 'shuffled');
    const random = new Random(3);
    // The labels of training clips carry nothing; those of validation clips are true.
    const trainClips = Math.round(CLIPS * 0.6);
    await makeWordFeatures(features, CLIPS, SEED, (own, index) => (index < trainClips ? random.pick(EMOTIONS) : own));
    const { metrics } = await train(textRun('shuffled', { features }));
    const { clips, accuracy } = metrics.inte!;
    // Chance plus three standard deviations of an accuracy over that many clips.
    expect(accuracy).toBeLessThan(1 / 7 + 3 * Math.sqrt(((1 / 7) * (6 / 7)) / clips));
  });

  test('refuses to write over a run', async () => {
    await expect(train(textRun('learns'))).rejects.toMatchObject({ code: 'bad_argument' });
  });

  test('says which split is empty', async () => {
    await expect(train(textRun('none', { features: path.join(directory, 'nowhere') }))).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('train'),
    });
  });
});
