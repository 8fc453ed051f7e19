import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { EMOTIONS } from '../../common/labels.js';
import { readCheckpoint } from '../../training/checkpoint.js';
import type { TrainConfig } from '../../training/config.js';
import { train } from '../../training/train.js';
import { makeWordFeatures, wordRun } from '../helpers/word-features.js';

let directory: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-outputs-'));
  await makeWordFeatures(path.join(directory, 'features'), 60, 5);
});
afterAll(() => fsp.rm(directory, { recursive: true }));

/** A run of 40 clips in 3 steps an epoch. */
function textRun(name: string, flags: Record<string, unknown> = {}): TrainConfig {
  return wordRun(directory, name, { n_epoch: 2, ...flags });
}

async function metricsTable(run: string): Promise<Record<string, string>[]> {
  const [header, ...lines] = (await fsp.readFile(path.join(run, 'metrics.csv'), 'utf8')).trim().split('\n');
  const names = header!.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i]!, cell])));
}

test('a run leaves checkpoints, status, metrics, pictures and TensorBoard events', async () => {
  const { run } = await train(textRun('whole'));
  const names = await fsp.readdir(run);
  expect(names.map((name) => name.replace(/^\d_best_\d\.\d{4}|tfevents.*/, '*')).sort()).toEqual([
    '*.safetensors',
    'confusion.svg',
    'curves.svg',
    'events.out.*',
    'last.safetensors',
    'metrics.csv',
    'resume.safetensors',
    'saved_status.json',
  ]);
  for (const picture of ['curves.svg', 'confusion.svg']) {
    const { width } = await sharp(path.join(run, picture)).metadata();
    expect(width).toBeGreaterThan(400);
  }
  const events = await fsp.readFile(path.join(run, names.find((name) => name.startsWith('events'))!), 'latin1');
  for (const tag of ['train/loss', 'train/learning_rate', 'inte/loss', 'inte/macro_f1']) expect(events).toContain(tag);
});

test('metrics.csv has training and validation of every epoch', async () => {
  const rows = await metricsTable(path.join(directory, 'logs', 'text', 'whole'));
  expect(rows.map(({ epoch, step, split, output }) => [epoch, step, split, output])).toEqual([
    ['1', '3', 'train', 'inte'],
    ['1', '3', 'val', 'inte'],
    ['2', '6', 'train', 'inte'],
    ['2', '6', 'val', 'inte'],
  ]);
  for (const { split, loss, accuracy, learning_rate, macro_f1, ece } of rows) {
    expect(Number(loss)).toBeGreaterThan(0);
    expect(accuracy).not.toBe('');
    expect(learning_rate === '').toBe(split === 'val');
    expect([macro_f1, ece].map((cell) => cell === '')).toEqual([split === 'train', split === 'train']);
  }
});

test('checkpoint and status hold the whole configuration and the scores of every class', async () => {
  const run = path.join(directory, 'logs', 'text', 'whole');
  const config = textRun('whole');
  const checkpoint = await readCheckpoint(run);
  expect(checkpoint.config).toEqual(config);
  const { ece, weightedF1, classes, confusion } = checkpoint.metrics.inte!;
  expect([ece, weightedF1].every((value) => value !== undefined && value >= 0 && value <= 1)).toBe(true);
  expect(Object.keys(classes!)).toEqual([...EMOTIONS]);
  expect(confusion!.flat().reduce((a, b) => a + b)).toBe(checkpoint.metrics.inte!.clips);
  const statusSchema = z.object({ config: z.unknown(), best: z.object({ file: z.string(), epoch: z.number() }) });
  const status = await readJson(path.join(run, 'saved_status.json'), statusSchema);
  expect(status.config).toEqual(config);
  expect(status.best).toMatchObject({ file: path.basename(checkpoint.file), epoch: checkpoint.epoch });
  expect((await readCheckpoint(path.join(run, 'last.safetensors'))).epoch).toBe(2);
});

test('of two best checkpoints that a killed run left, the one of its status is taken', async () => {
  const run = path.join(directory, 'logs', 'text', 'whole');
  const { file } = await readCheckpoint(run);
  const stale = path.join(run, '0_best_9.9999.safetensors');
  await fsp.copyFile(file, stale);
  expect((await readCheckpoint(run)).file).toBe(file);
  await fsp.rm(stale);
});

test('--eval_step validates by steps, and after the last one', async () => {
  const { run } = await train(textRun('by-steps', { eval_step: 4 }));
  const steps = (await metricsTable(run)).filter(({ split }) => split === 'val').map(({ step }) => step);
  expect(steps).toEqual(['4', '6']);
});

test('--select loss keeps the epoch of the least validation loss', async () => {
  // The rate is so high that the loss goes up and down.
  const { run, epoch } = await train(textRun('by-loss', { select: 'loss', learning_rate: 0.05, n_epoch: 4, ema: 0 }));
  const rows = (await metricsTable(run)).filter(({ split }) => split === 'val');
  const losses = rows.map(({ loss }) => Number(loss));
  expect(epoch).toBe(1 + losses.indexOf(Math.min(...losses)));
});

test('--patience stops a run that no longer gets better, and it stays stopped when resumed', async () => {
  const config = textRun('patient', { learning_rate: 1e-12, patience: 1, n_epoch: 5 });
  const { run, epoch } = await train(config);
  expect(epoch).toBe(1);
  const epochs = async () => (await metricsTable(run)).filter(({ split }) => split === 'val').map((row) => row.epoch);
  expect(await epochs()).toEqual(['1', '2']);
  await train({ ...config, resume: true });
  expect(await epochs()).toEqual(['1', '2']);
});

test('a loss that is no number stops training and names the step and the clips of its batch', async () => {
  const broken = textRun('broken', { learning_rate: 1e30, optim: 'sgd', clip_norm: 0, batch_size: 8 });
  const error: unknown = await train(broken).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'training_failed' });
  const message = error instanceof Error ? error.message : '';
  const [, clips] =
    /^The loss became (?:NaN|Infinity) at step [23], on these clips of .*train: (.*)\.$/.exec(message) ?? [];
  expect(clips?.split(', ')).toHaveLength(8);
});
