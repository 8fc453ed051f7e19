import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import { z } from 'zod';
import { MerError } from '../common/errors.js';
import { readSafetensors, type StateDict, type StateTensor, writeSafetensors } from '../common/safetensors.js';
import { requireSameTable } from '../preprocessing/words/same-table.js';
import type { TrainConfig } from './config.js';
import type { SessionState } from './session.js';
import { type Origins, originsSchema } from './weights/origin.js';

export const RESUME_FILE = 'resume.safetensors';

const OPTIMIZER = 'optimizer/';
const AVERAGE = 'average';

/** Flags that may change when a run goes on: how it is started, stored and read, not what it computes. */
const FREE_FLAGS: readonly string[] = ['resume', 'features', 'logs', 'num_workers', 'save_every_minutes'];

const bestSchema = z.object({
  /** What `--select` asks for, higher is better. */
  score: z.number(),
  file: z.string(),
  /** From 1. */
  epoch: z.number().int(),
});

const totalsSchema = z.object({
  steps: z.number().int(),
  loss: z.number(),
  accuracy: z.number(),
  /** Of the last step. */
  learningRate: z.number(),
});

const infoSchema = z.object({
  epoch: z.number().int(),
  step: z.number().int(),
  totals: totalsSchema,
  best: bestSchema.nullable(),
  origins: originsSchema,
  microBatch: z.number().int().positive().nullable(),
  lossScale: z.object({ value: z.number(), good: z.number().int() }).nullable(),
  config: z.record(z.string(), z.unknown()),
  clips: z.string(),
  wordTable: z.string().nullable(),
});

/** The best checkpoint so far. */
export type BestCheckpoint = z.infer<typeof bestSchema>;

/** Steps of the present epoch that are done, with the sums of their losses and accuracies. */
export type EpochTotals = z.infer<typeof totalsSchema>;

export const NO_STEPS: EpochTotals = { steps: 0, loss: 0, accuracy: 0, learningRate: 0 };

/**
 * All that a run needs to go on as if it had not stopped. Order and augmentation of the clips follow from seed, epoch
 * and step, so no generator has to be stored.
 */
export interface ResumePoint {
  /** The parameters of the last step, not their average. */
  state: StateDict;
  session: SessionState;
  /** Whole epochs done. */
  epoch: number;
  totals: EpochTotals;
  best: BestCheckpoint | null;
  /** Where the first weights came from. */
  origins: Origins;
}

/** What a run is made of: a resume point belongs to just this. */
export interface RunIdentity {
  config: TrainConfig;
  /** Stems of the training clips, in the order of the dataset. */
  stems: readonly string[];
  /** sha256 of the word-vector table of the clips' words; null where vectors were given. */
  wordTable: string | null;
}

export async function writeResumePoint(file: string, point: ResumePoint, identity: RunIdentity): Promise<void> {
  const { state, session, ...rest } = point;
  const tensors: StateDict = new Map(state);
  const vector = (data: Float32Array): StateTensor => ({ dtype: 'F32', shape: [data.length], data });
  for (const [name, data] of session.optimizer) tensors.set(OPTIMIZER + name, vector(data));
  if (session.average) tensors.set(AVERAGE, vector(session.average));
  const { step, microBatch, lossScale } = session;
  const { config, stems, wordTable } = identity;
  const info = { ...rest, step, microBatch, lossScale, config, clips: digest(stems), wordTable };
  await writeSafetensors(file, tensors, { mer: JSON.stringify(info satisfies z.infer<typeof infoSchema>) });
}

/**
 * @throws MerError not_found where there is none, bad_argument where the run had other flags, clips or words, bad_file where
 *   an earlier version wrote it
 */
export async function readResumePoint(file: string, { config, stems, wordTable }: RunIdentity): Promise<ResumePoint> {
  if (!(await fsp.stat(file).catch(() => null))) {
    throw new MerError('not_found', `${file} does not exist: the run never saved itself.`, 'Start without --resume.');
  }
  const { tensors, metadata } = await readSafetensors(file);
  const parsed = infoSchema.safeParse(JSON.parse(metadata.mer ?? '{}'));
  if (!parsed.success) {
    throw new MerError('bad_file', `${file} is of another version.`, 'Train anew under another --exp_name.');
  }
  const { step, epoch, totals, best, origins, microBatch, lossScale, config: saved, clips } = parsed.data;
  const other = changedFlags(saved, config);
  if (other.length > 0) {
    throw new MerError(
      'bad_argument',
      `The run of ${file} was started with other flags: ${other.join(', ')}.`,
      'Resume with --config and its saved_status.json, or choose another --exp_name.',
    );
  }
  if (clips !== digest(stems)) {
    throw new MerError(
      'bad_argument',
      `${config.features} holds other training clips than when the run of ${file} was started.`,
      'Resume with the same features, or choose another --exp_name.',
    );
  }
  requireSameTable(
    { of: `the run of ${file}`, table: parsed.data.wordTable },
    { of: config.features, table: wordTable },
    'Resume with the same features, or choose another --exp_name.',
  );
  const state: StateDict = new Map();
  const optimizer = new Map<string, Float32Array>();
  let average: Float32Array | null = null;
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'F32') continue;
    if (name.startsWith(OPTIMIZER)) optimizer.set(name.slice(OPTIMIZER.length), tensor.data);
    else if (name === AVERAGE) average = tensor.data;
    else state.set(name, tensor);
  }
  return { state, session: { step, optimizer, average, microBatch, lossScale }, epoch, totals, best, origins };
}

/** The flags that differ, each with its value in the run, such as `--batch_size was 32`. */
function changedFlags(saved: Record<string, unknown>, config: TrainConfig): string[] {
  const now: Record<string, unknown> = config;
  const names = [...new Set([...Object.keys(saved), ...Object.keys(now)])];
  return names
    .filter((name) => !FREE_FLAGS.includes(name) && saved[name] !== now[name])
    .map((name) => `--${name} was ${saved[name] === undefined ? 'not given' : String(saved[name])}`);
}

function digest(stems: readonly string[]): string {
  return crypto.createHash('sha256').update(stems.join('\n')).digest('hex');
}
