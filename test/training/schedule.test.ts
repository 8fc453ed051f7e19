import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { learningRate } from '../../training/schedule.js';

const rates = z.array(z.number());
const goldenSchema = z.object({
  'cosine_Tmax100_lr4e-3_lr_used_at_step': rates,
  warmup10_cosine100_lr_used_at_step: rates,
});
const golden = await readJson(path.join(import.meta.dirname, '../golden/data_pipeline.json'), goldenSchema);
const cosine = golden['cosine_Tmax100_lr4e-3_lr_used_at_step'];

const STEPS = 10;

// torch computes the same curves by recurrence in float64.
const DIGITS = 12;

describe('by default', () => {
  test('the cosine is that of torch, from the first step on', () => {
    const config = parseTrainConfig({ mode: 'speech', n_epoch: 10 });
    for (const [step, rate] of cosine.slice(1).entries()) {
      expect(learningRate(config, step, STEPS)).toBeCloseTo(rate, DIGITS);
    }
  });

  test('warm-up rises linearly from the first step to the peak', () => {
    const config = parseTrainConfig({ mode: 'speech', n_epoch: 10, warmup: 1 });
    expect([0, 4, 9, 10].map((step) => learningRate(config, step, STEPS))).toEqual([4e-4, 2e-3, 4e-3, 4e-3]);
  });

  test('multimodal training goes on with a tenth of the rate after half of the epochs', () => {
    const config = parseTrainConfig({ mode: 'multimodal', n_epoch: 4 });
    expect([0, 19, 20].map((step) => learningRate(config, step, STEPS))).toEqual([4e-3, 4e-3, 4e-4]);
  });
});

describe('in compat seed the rates of the reference', () => {
  test('cosine: one step late', () => {
    const config = parseTrainConfig({ mode: 'speech', n_epoch: 10, compat: 'seed' });
    for (const [step, rate] of cosine.entries()) expect(learningRate(config, step, STEPS)).toBeCloseTo(rate, DIGITS);
  });

  test('warm-up: two steps at 0, then late, and one step twice at the peak', () => {
    const config = parseTrainConfig({ mode: 'speech', n_epoch: 10, warmup: 1, compat: 'seed' });
    for (const [step, rate] of golden.warmup10_cosine100_lr_used_at_step.entries()) {
      expect(learningRate(config, step, STEPS), `step ${step}`).toBeCloseTo(rate, DIGITS);
    }
  });

  test('multimodal: a tenth after each half of the epochs', () => {
    const config = parseTrainConfig({ mode: 'multimodal', n_epoch: 4, compat: 'seed' });
    expect([0, 19, 20, 39].map((step) => learningRate(config, step, STEPS))).toEqual([4e-3, 4e-3, 4e-4, 4e-4]);
  });
});
