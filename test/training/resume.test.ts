import { spawn } from 'node:child_process';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSafetensors } from '../../common/safetensors.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { train } from '../../training/train.js';
import { makeWordFeatures } from '../helpers/word-features.js';

const MER = fileURLToPath(new URL('../helpers/mer.ts', import.meta.url));

// Small steps: 62 training clips in batches of 8 are 8 steps an epoch.
const FLAGS = {
  mode: 'text',
  text_layers: 1,
  batch_size: 8,
  n_epoch: 2,
  mixup_prob: 0.5,
  mixup_alpha: 1,
  label_smoothing: 0.1,
  num_workers: 0,
};

let directory: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-resume-'));
  await makeWordFeatures(path.join(directory, 'features'), 100, 5);
});
afterAll(() => fsp.rm(directory, { recursive: true }));

interface Run {
  code: number | null;
  stderr: string;
}

/** Runs `mer train` in a process of its own; kills it without warning as soon as `fatal` says so. */
function mer(name: string, more: readonly string[], fatal: (run: string) => Promise<boolean> | boolean): Promise<Run> {
  const flags = Object.entries(FLAGS).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const folders = ['--features', path.join(directory, 'features'), '--logs', path.join(directory, 'logs')];
  const args = ['--import', 'tsx', MER, 'train', '--exp_name', name, ...folders, ...flags, ...more];
  // The number of threads decides the last bits.
  const env = { ...process.env, TF_NUM_INTRAOP_THREADS: '1' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const closed = new Promise<Run>((resolve) => child.once('close', (code) => resolve({ code, stderr })));
  void watch();
  return closed;

  async function watch(): Promise<void> {
    while (child.exitCode === null && child.signalCode === null) {
      if (await fatal(path.join(directory, 'logs', 'text', name))) child.kill('SIGKILL');
      await setTimeout(20);
    }
  }
}

async function savedPoint(run: string): Promise<{ epoch: number; totals: { steps: number } } | null> {
  const file = path.join(run, 'resume.safetensors');
  const read = await readSafetensors(file).catch(() => null);
  return read && JSON.parse(read.metadata.mer!);
}

async function expectSameRuns(one: string, other: string): Promise<void> {
  for (const file of ['resume.safetensors', 'last.safetensors']) {
    const [expected, found] = [
      await readSafetensors(path.join(directory, 'logs', 'text', one, file)),
      await readSafetensors(path.join(directory, 'logs', 'text', other, file)),
    ];
    expect([...found.tensors]).toEqual([...expected.tensors]);
  }
  const folder = (run: string) => path.join(directory, 'logs', 'text', run);
  const table = (run: string) => fsp.readFile(path.join(folder(run), 'metrics.csv'), 'utf8');
  expect(await table(other)).toBe(await table(one));
  const best = async (run: string) => (await fsp.readdir(folder(run))).filter((file) => file.includes('_best_'));
  expect(await best(other)).toEqual(await best(one));
}

test('a run that was killed in the middle of an epoch and resumed ends with the same bits', async () => {
  const whole = await mer('whole', [], () => false);
  expect(whole.code).toBe(0);
  // Saved after each step, it has a point in the middle of the second epoch when it dies.
  const killed = await mer('killed', ['--save_every_minutes', '0.0000001'], async (run) => {
    const point = await savedPoint(run);
    return point !== null && point.epoch === 1 && point.totals.steps >= 3;
  });
  expect(killed.code).toBeNull();
  const point = (await savedPoint(path.join(directory, 'logs', 'text', 'killed')))!;
  expect(point.totals.steps).toBeGreaterThan(0);
  // Where the batches are made does not matter.
  const resumed = await mer('killed', ['--resume', '--num_workers', '1'], () => false);
  expect(resumed.stderr).toContain(`resumed at epoch 2, step ${point.totals.steps} of 8`);
  expect(resumed.code).toBe(0);
  await expectSameRuns('whole', 'killed');
});

test('a run that is interrupted saves itself where it is', async () => {
  const config = (name: string, more = {}) => {
    const folders = { features: path.join(directory, 'features'), logs: path.join(directory, 'logs') };
    return parseTrainConfig({ ...FLAGS, ...folders, exp_name: name, n_epoch: 1, optim: 'sgd', ...more });
  };
  await train(config('one'));
  await expect(train(config('other'), AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' });
  await train(config('other', { resume: true }));
  await expectSameRuns('one', 'other');
});

test('a run is resumed with its own flags and clips only', async () => {
  const folders = { features: path.join(directory, 'features'), logs: path.join(directory, 'logs') };
  const config = parseTrainConfig({ ...FLAGS, ...folders, exp_name: 'own', n_epoch: 1 });
  await expect(train(config, AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' });
  await expect(train({ ...config, resume: true, batch_size: 4 })).rejects.toThrow('--batch_size was 8');
  const others = path.join(directory, 'others');
  await makeWordFeatures(others, 60, 5);
  await expect(train({ ...config, resume: true, features: others })).rejects.toThrow('other training clips');
});
