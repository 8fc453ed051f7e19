import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bundle } from '../../common/bundle.js';
import { writeJsonAtomic } from '../../common/files.js';
import { EMOTIONS } from '../../common/labels.js';
import { exportBundle } from '../../export/bundle.js';
import type { StoredSummary } from '../../preprocessing/corpus/read-summary.js';
import { writeCheckpoint } from '../../training/checkpoint.js';
import { trainConfigSchema } from '../../training/config.js';
import { makeTinyFeatures } from '../helpers/tiny-features.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

const CLIPS = 56;

let directory: string;
let out: string;
let bundle: Bundle;
let card: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  const features = path.join(directory, 'features');
  await makeTinyFeatures(features, {
    ...{ compat: 'default', train: 0, val: CLIPS, wordDim: 24, faceFrames: 1 },
    // 46 clips with words are too few for a temperature.
    without: (index) => (index < 10 ? ['text'] : []),
  });
  await writeSummary(features);
  const run = path.join(directory, 'run');
  const config = trainConfigSchema.parse({
    ...{ mode: 'multimodal', exp_name: 'mine', features, n_epoch: 3, optim: 'sgd', amp: true },
    ...{ speech_coeff: 'tiny', face_coeff: 'tiny', text_layers: 1 },
  });
  await writeCheckpoint(path.join(run, '1_1_best_1.9.safetensors'), tinyState(), {
    ...{ spec: TINY_SPEC, config, epoch: 1, maxFrames: 32, origins: {}, metrics: {} },
  });
  out = path.join(directory, 'bundle');
  bundle = await exportBundle({ run, out });
  card = await fsp.readFile(path.join(out, 'MODEL_CARD.md'), 'utf8');
});
afterAll(() => fsp.rm(directory, { recursive: true }));

/** What preprocessing would have written of a corpus of such clips. */
function writeSummary(features: string): Promise<void> {
  const each = Math.floor(CLIPS / EMOTIONS.length);
  const split = (clips: number, speakers: number): NonNullable<StoredSummary['splits']['val']> => ({
    ...{ clips, failed: 1, hours: 0.25, speakers, withoutSpeaker: 0, unlabelled: 0, sources: { 'my clips': clips } },
    classes: { hap: each, ang: each, dis: each, fea: each, sad: each, neu: each, sur: each },
    used: { speech: clips, face: clips, text: clips },
  });
  return writeJsonAtomic(path.join(features, 'summary.json'), {
    ...{ format: 'folders', split: 'speaker', splits: { train: split(301, 12), val: split(CLIPS + 1, 4) } },
    ...{ labels: { clips: 300, faceDiffers: 30, speechDiffers: 0 }, warnings: ['a warning'] },
  } satisfies StoredSummary);
}

describe('a bundle that was measured on the validation clips of its run', () => {
  test('has metrics of every subset of modalities, over the clips that have all of it', () => {
    const clips = Object.entries(bundle.subsetMetrics!).map(([subset, metrics]) => [subset, metrics.clips]);
    const words = CLIPS - 10;
    expect(Object.fromEntries(clips)).toEqual({
      ...{ speech: CLIPS, face: CLIPS, 'speech+face': CLIPS },
      ...{ text: words, 'speech+text': words, 'face+text': words, 'speech+face+text': words },
    });
    expect(bundle.metrics.inte).toMatchObject({ clips: CLIPS, confusion: expect.any(Array) });
    expect(bundle.metrics.text!.clips).toBe(words);
  });

  test('has a temperature for each set of logits with enough clips', () => {
    expect(Object.keys(bundle.calibration!.subsets).sort()).toEqual(['face', 'speech', 'speech+face']);
    expect(Object.keys(bundle.calibration!.heads).sort()).toEqual(['face', 'speech']);
  });

  test('has a card that says how it was made, of what and how good it is', () => {
    expect(card).toContain('mer train --mode multimodal --exp_name mine --features ');
    expect(card).toContain(
      ' --amp True --speech_coeff tiny --face_coeff tiny --text_layers 1 --n_epoch 3 --optim sgd\n',
    );
    expect(card).toContain(`mer export --run ${path.join(directory, 'run')} --out ${out}\n`);
    expect(card).toContain('| train | 300 | 0.25 | 12 | 301 | 301 | 301 |');
    expect(card).toContain('- a warning');
    expect(card).toMatch(/\n\| speech \+ face \+ text \| 46 \| 0\.\d{3} \| 0\.\d{3} to 0\.\d{3} \|/);
    expect(card).toMatch(/\n\| speech \+ face \+ text \| 46 \| 1 \* \|/);
    expect(card).toMatch(/\n\| speech \+ face \| 56 \| \d+\.\d{3} \|/);
    expect(card).toContain('fewer than 50 clips');
    expect(card).toMatch(/\n\| hap \| 8 \| \d\.\d{3} \| \d\.\d{3} \| \d\.\d{3} \|/);
    expect(card).not.toMatch(/undefined|NaN|null,? \|/);
  });

  test('has the plots that the card shows', async () => {
    const plots = [...card.matchAll(/!\[[^\]]+\]\(([\w.]+)\)/g)].map(([, file]) => file!);
    expect(plots).toEqual(['confusion.svg', 'reliability.svg']);
    for (const plot of plots) {
      const svg = await fsp.readFile(path.join(out, plot), 'utf8');
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      const { width, height } = await sharp(Buffer.from(svg)).png().metadata();
      expect([width! > 400, height! > 400]).toEqual([true, true]);
    }
  });
});

test('an int8 variant is measured against float32 on the same clips, and says so', async () => {
  const run = path.join(directory, 'run');
  const variantOut = path.join(directory, 'int8');
  const made = await exportBundle({ run, out: variantOut, precision: 'int8', force: true });
  const { variant, precision, version } = made;
  expect({ precision, differs: version !== bundle.version }).toEqual({ precision: 'int8', differs: true });
  expect(variant).toMatchObject({ agreement: { clips: CLIPS }, bytes: { fp32: expect.any(Number) } });
  // Weights of 8 bits: near float32 and not equal to it; a broken conversion is off by whole logits.
  expect(variant!.maxError).toBeGreaterThan(1e-5);
  expect(variant!.maxError).toBeLessThan(0.2);
  expect(variant!.bytes.variant).toBeLessThan(variant!.bytes.fp32 / 2);
  expect(await fsp.readdir(variantOut)).not.toContain('fp32');
  expect(await fsp.readFile(path.join(variantOut, 'MODEL_CARD.md'), 'utf8')).toContain('## Precision\nint8 against');
});
