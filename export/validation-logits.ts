import path from 'node:path';
import { MerError } from '../common/errors.js';
import { EMOTION_COUNT, MODALITIES, type Modality } from '../common/labels.js';
import { WorkerProcess } from '../common/worker-process.js';
import type { ModelSpec } from '../models/spec.js';
import { listClips } from '../preprocessing/corpus/feature-store.js';
import type { ClipRecord } from '../preprocessing/features.js';
import { requireSameTable } from '../preprocessing/words/same-table.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { Dataset, wordTable } from '../training/data/dataset.js';
import { answerSchema, type ScoringConfig } from './validation-protocol.js';

const SPLIT = 'val';

/** The labelled validation clips of a run. */
export interface ValidationClips {
  /** The folder of the features, as it was given. */
  featuresDir: string;
  records: readonly ClipRecord[];
}

/** Logits of some of the validation clips. */
export interface LogitRows {
  /** Which clips: indices into the records, ascending. */
  clips: number[];
  /** Row-major (clips.length, 7). */
  logits: Float32Array;
}

/** What exported graphs say of the validation clips. */
export interface ValidationLogits {
  records: readonly ClipRecord[];
  /** Integrated logits of every subset of modalities, over the clips that have all of it, by `subsetName`. */
  subsets: Record<string, LogitRows>;
  /** Each modality's own logits, over the clips that have it. */
  heads: Partial<Record<Modality, LogitRows>>;
}

/**
 * The validation clips that belong to a checkpoint: those of `features` when it is given, else of the folder that the
 * run's saved configuration names, where they are still there.
 *
 * @returns the clips, or in words why there are none
 * @throws MerError when `features` is given and holds no validation clips, or others than the network takes
 */
export async function findValidationClips(
  checkpoint: Pick<Checkpoint, 'config' | 'spec' | 'metrics' | 'wordTable' | 'maxFrames' | 'subject' | 'file'>,
  features?: string,
): Promise<ValidationClips | string> {
  if (features !== undefined) return readValidationClips(checkpoint, features);
  const own = checkpoint.config.features;
  if (typeof own !== 'string') return 'the checkpoint does not say which features it was validated on';
  try {
    const clips = await readValidationClips(checkpoint, own);
    const expected = checkpoint.metrics.inte?.clips;
    if (expected === undefined || clips.records.length === expected) return clips;
    return `${own} holds ${clips.records.length} validation clips, the run had ${expected}`;
  } catch (error) {
    if (error instanceof MerError) return error.message.replace(/\.$/, '');
    throw error;
  }
}

async function readValidationClips(
  { spec, wordTable: table, maxFrames, subject, file }: Parameters<typeof findValidationClips>[0],
  featuresDir: string,
): Promise<ValidationClips> {
  const needed = spec.mode === 'multimodal' ? null : spec.mode;
  const set = Dataset.of(featuresDir, SPLIT, await listClips(featuresDir, SPLIT), spec, needed);
  const folder = path.join(featuresDir, SPLIT);
  const remedy = 'Give the features that the run was trained on.';
  if (needed === null || needed === 'text') {
    const own = wordTable(set.records);
    requireSameTable({ of: file, table }, { of: folder, table: own }, remedy);
  }
  if (set.maxFrames !== maxFrames || set.subject !== subject) {
    throw new MerError(
      'bad_argument',
      `${folder} keeps ${set.maxFrames} frames of subject ${set.subject}, ${file} is of ${maxFrames} of subject ${subject}.`,
      remedy,
    );
  }
  return { featuresDir, records: set.records };
}

/**
 * Runs exported graphs over validation clips, one clip at a time as a clip alone is served, in a child process, since
 * TensorFlow and ONNX Runtime do not share one here.
 *
 * @param directory holds the ONNX files; of which modalities there are any, is seen there
 * @param onClip is told how many clips are done
 * @throws MerError bad_file or not_found for a damaged feature file
 */
export async function validationLogits(
  directory: string,
  spec: ModelSpec,
  { featuresDir, records }: ValidationClips,
  onClip: (done: number) => void = () => {},
): Promise<ValidationLogits> {
  const config: ScoringConfig = { directory, featuresDir, split: SPLIT, spec };
  const module = new URL('./validation-worker.js', import.meta.url);
  const { worker } = await WorkerProcess.start({ name: 'scoring', module, config });
  const subsets: Record<string, Gathered> = {};
  const heads: Partial<Record<Modality, Gathered>> = {};
  try {
    for (const [clip, record] of records.entries()) {
      const answer = answerSchema.parse(await worker.execute(record));
      for (const [name, logits] of Object.entries(answer.subsets)) {
        subsets[name] ??= { clips: [], rows: [] };
        gather(subsets[name], clip, logits);
      }
      for (const modality of MODALITIES) {
        const logits = answer.heads[modality];
        if (logits === undefined) continue;
        heads[modality] ??= { clips: [], rows: [] };
        gather(heads[modality], clip, logits);
      }
      onClip(clip + 1);
    }
  } finally {
    await worker.kill();
  }
  return { records, subsets: joined(subsets), heads: joined(heads) };
}

interface Gathered {
  clips: number[];
  rows: Float32Array[];
}

function gather(gathered: Gathered, clip: number, logits: Float32Array): void {
  gathered.clips.push(clip);
  gathered.rows.push(logits);
}

function joined<Name extends string>(gathered: Partial<Record<Name, Gathered>>): Record<Name, LogitRows> {
  const entries = Object.entries<Gathered | undefined>(gathered).flatMap(([name, part]) => {
    if (part === undefined) return [];
    const logits = new Float32Array(part.rows.length * EMOTION_COUNT);
    for (const [row, values] of part.rows.entries()) logits.set(values, row * EMOTION_COUNT);
    return [[name, { clips: part.clips, logits }]];
  });
  return Object.fromEntries(entries);
}
