import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { parseTrainConfig } from '../../training/config.js';
import { learningRate } from '../../training/schedule.js';

const KEY = 'cosine_Tmax100_lr4e-3_lr_used_at_step';

test('the cosine schedule is that of torch, which the reference applies one step late', async () => {
  const file = path.join(import.meta.dirname, '../golden/data_pipeline.json');
  const golden = (await readJson(file, z.object({ [KEY]: z.array(z.number()) })))[KEY]!;
  const config = parseTrainConfig({ mode: 'speech', n_epoch: 10 });
  for (const [step, rate] of golden.slice(1).entries()) {
    // torch computes the same curve by recurrence in float64
    expect(learningRate(config, step, 10)).toBeCloseTo(rate, 12);
  }
});

test('warm-up rises linearly from the first step to the peak', () => {
  const config = parseTrainConfig({ mode: 'speech', n_epoch: 10, warmup: 1 });
  const rates = [0, 4, 9, 10].map((step) => learningRate(config, step, 10));
  expect(rates).toEqual([4e-4, 2e-3, 4e-3, 4e-3]);
});

test('multimodal training goes on with a tenth of the rate after half of the epochs', () => {
  const config = parseTrainConfig({ mode: 'multimodal', n_epoch: 4 });
  expect([0, 19, 20].map((step) => learningRate(config, step, 10))).toEqual([4e-3, 4e-3, 4e-4]);
});
