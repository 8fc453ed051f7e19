import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { metricsSchema, subjectSchema } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { readJson } from '../common/files.js';
import { readSafetensors, type StateDict, writeSafetensors } from '../common/safetensors.js';
import { type ModelSpec, modelSpecSchema } from '../models/spec.js';
import { originsSchema } from './weights/origin.js';

/** The whole configuration of a run and what its best checkpoint is. */
export const STATUS_FILE = 'saved_status.json';

/** The weights of the last evaluation, in a run's folder. */
export const LAST_FILE = 'last.safetensors';

const infoSchema = z.object({
  spec: modelSpecSchema,
  /** The whole configuration of the run; empty for imported weights. */
  config: z.record(z.string(), z.unknown()),
  /** From 1; 0 for imported weights. */
  epoch: z.number().int(),
  /** Face frames that the features keep of each clip, at most. */
  maxFrames: z.number().int().positive(),
  /** Whose face is in the features. */
  subject: subjectSchema.default('largest'),
  /** sha256 of the word-vector table that the words were looked up in; null where vectors were given. */
  wordTable: z.string().nullable().default(null),
  /**
   * Validation metrics against the integrated label, by output: `inte`, and in multimodal runs each modality; none of
   * imported weights.
   */
  metrics: z.record(z.string(), metricsSchema),
  /** Where the first weights came from, by modality. */
  origins: originsSchema,
});

const statusSchema = z.object({ best: z.object({ file: z.string() }).nullable() });

/** What a checkpoint says of itself; kept in the metadata of its safetensors file. */
export type CheckpointInfo = z.input<typeof infoSchema>;

export interface Checkpoint extends z.output<typeof infoSchema> {
  file: string;
  /** Parameters and running statistics, in PyTorch's names and layouts. */
  state: StateDict;
}

export async function writeCheckpoint(file: string, state: StateDict, info: CheckpointInfo): Promise<void> {
  await writeSafetensors(file, state, { format: 'pt', mer: JSON.stringify(info) });
}

/**
 * Reads a checkpoint: a `.safetensors` file, or a run's folder (logs/{mode}/{exp_name}), whose best one is taken.
 * @throws MerError not_found or bad_file
 */
export async function readCheckpoint(fileOrRun: string): Promise<Checkpoint> {
  const file = await resolveCheckpoint(fileOrRun);
  const { tensors, metadata } = await readSafetensors(file);
  let info: unknown;
  try {
    info = JSON.parse(metadata.mer ?? 'null');
  } catch {
    info = null;
  }
  const parsed = infoSchema.safeParse(info);
  if (!parsed.success) {
    throw new MerError('bad_file', `${file} is no checkpoint of this program.`, 'Give a file that `mer train` wrote.');
  }
  return { ...parsed.data, file, state: tensors };
}

async function resolveCheckpoint(fileOrRun: string): Promise<string> {
  const stat = await fsp.stat(fileOrRun).catch(() => null);
  if (!stat) throw new MerError('not_found', `${fileOrRun} does not exist.`, 'Check the path.');
  if (!stat.isDirectory()) return fileOrRun;
  const names = (await fsp.readdir(fileOrRun)).filter((name) => /_best_[\d.]+\.safetensors$/.test(name));
  // A run that was killed between two files may hold two; its status says which one is the best.
  const status = await readJson(path.join(fileOrRun, STATUS_FILE), statusSchema).catch(() => null);
  const best = names.find((name) => name === status?.best?.file) ?? names[0];
  if (best === undefined) {
    throw new MerError('not_found', `${fileOrRun} holds no best checkpoint.`, 'Train the run for at least one epoch.');
  }
  return path.join(fileOrRun, best);
}

/** Takes from `state` just the tensors that `spec` needs. @throws MerError bad_file naming the first bad tensor */
export function checkState(
  state: StateDict,
  needed: readonly { name: string; shape: number[] }[],
  file: string,
  spec: ModelSpec,
): void {
  for (const { name, shape } of needed) {
    const found = state.get(name);
    if (found?.dtype === 'F32' && found.shape.join() === shape.join()) continue;
    throw new MerError(
      'bad_file',
      `${file}: tensor ${name} is ${found ? `of shape (${found.shape})` : 'missing'}, a ${spec.mode} model needs (${shape}).`,
      'Give the checkpoint of a run with the same mode and coefficients.',
    );
  }
}
