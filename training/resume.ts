import fsp from 'node:fs/promises';
import { z } from 'zod';
import { MerError } from '../common/errors.js';
import { readSafetensors, type StateDict, type StateTensor, writeSafetensors } from '../common/safetensors.js';
import type { TrainConfig } from './config.js';
import type { SessionState } from './session.js';
import { type Origins, originsSchema } from './weights/origin.js';

const OPTIMIZER = 'optimizer/';
const AVERAGE = 'average';

const infoSchema = z.object({
  /** Epochs done. */
  epoch: z.number().int(),
  step: z.number().int(),
  best: z.object({ score: z.number(), file: z.string() }).nullable(),
  origins: originsSchema,
  config: z.string(),
});

/** All that a run needs to go on after a whole epoch. */
export interface ResumePoint {
  state: StateDict;
  session: SessionState;
  epoch: number;
  best: { score: number; file: string } | null;
  /** Where the first weights came from. */
  origins: Origins;
}

export async function writeResumePoint(file: string, point: ResumePoint, config: TrainConfig): Promise<void> {
  const tensors: StateDict = new Map(point.state);
  const vector = (data: Float32Array): StateTensor => ({ dtype: 'F32', shape: [data.length], data });
  for (const [name, data] of point.session.optimizer) tensors.set(OPTIMIZER + name, vector(data));
  if (point.session.average) tensors.set(AVERAGE, vector(point.session.average));
  const { epoch, best, origins } = point;
  const info = { epoch, step: point.session.step, best, origins, config: fingerprint(config) };
  await writeSafetensors(file, tensors, { mer: JSON.stringify(info) });
}

/** @throws MerError not_found where there is none, bad_argument where the run had other flags */
export async function readResumePoint(file: string, config: TrainConfig): Promise<ResumePoint> {
  if (!(await fsp.stat(file).catch(() => null))) {
    throw new MerError('not_found', `${file} does not exist: no epoch was finished.`, 'Start without --resume.');
  }
  const { tensors, metadata } = await readSafetensors(file);
  const info = infoSchema.parse(JSON.parse(metadata.mer ?? '{}'));
  if (info.config !== fingerprint(config)) {
    throw new MerError(
      'bad_argument',
      `The run of ${file} was started with other flags.`,
      'Resume with the flags that saved_status.json lists, or choose another --exp_name.',
    );
  }
  const state: StateDict = new Map();
  const optimizer = new Map<string, Float32Array>();
  let average: Float32Array | null = null;
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'F32') continue;
    if (name.startsWith(OPTIMIZER)) optimizer.set(name.slice(OPTIMIZER.length), tensor.data);
    else if (name === AVERAGE) average = tensor.data;
    else state.set(name, tensor);
  }
  const { step, epoch, best, origins } = info;
  return { state, session: { step, optimizer, average }, epoch, best, origins };
}

/** Everything that must be the same for a run to go on; where data and results lie may change. */
function fingerprint({ resume: _, features: __, logs: ___, num_workers: ____, ...rest }: TrainConfig): string {
  return JSON.stringify(rest);
}
