import path from 'node:path';
import { MerError } from '../common/errors.js';
import { EMOTION_COUNT, EMOTIONS, MODALITIES, type Modality } from '../common/labels.js';
import type { StateDict } from '../common/safetensors.js';
import { BRANCH_PREFIX } from '../models/multimodal.js';
import { networkParameters } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { requireSameTable } from '../preprocessing/words/same-table.js';
import { type Checkpoint, checkState, readCheckpoint } from '../training/checkpoint.js';
import type { WeightFiles } from './export-options.js';

/** What a branch's network and its inputs are made of, by modality: two checkpoints of it must agree in these. */
const BRANCH_FIELDS: Record<Modality, readonly (keyof ModelSpec)[]> = {
  speech: ['speechCoefficient', 'fan'],
  face: ['faceCoefficient', 'faceSize', 'fan'],
  text: ['textLayers', 'textHeads', 'wordDim', 'maxWords'],
};

/**
 * The checkpoint that is exported: a run's best one, or `weights.multimodal`, in which the checkpoints given for single
 * modalities take the place of their branches. One unimodal file alone is exported as it is.
 *
 * @throws MerError not_found or bad_file for a file; bad_argument for files that do not go together
 */
export async function readSource({ run, weights = {} }: WeightFiles): Promise<Checkpoint> {
  const given = Object.entries(weights).flatMap(([mode, file]) => (file === undefined ? [] : [{ mode, file }]));
  if (run !== undefined) {
    if (given.length > 0) throw unclear('--run and weights were both given');
    return readChecked(run);
  }
  if (given.length === 0) throw unclear('there is nothing to export');
  const read = await Promise.all(given.map(({ mode, file }) => readOfMode(file, mode)));
  const whole = read.find(({ spec }) => spec.mode === 'multimodal');
  if (whole === undefined) {
    if (read.length === 1) return read[0]!;
    throw unclear('the weights of several modalities were given and none of their fusion');
  }
  return read.filter((checkpoint) => checkpoint !== whole).reduce(withBranch, whole);
}

function unclear(why: string): MerError {
  return new MerError(
    'bad_argument',
    `It is not clear what to export: ${why}.`,
    'Give --run RUN, or --multimodal_weights FILE and whichever branches are to be taken from files of their own.',
  );
}

async function readOfMode(file: string, mode: string): Promise<Checkpoint> {
  const checkpoint = await readChecked(file);
  if (checkpoint.spec.mode === mode) return checkpoint;
  throw new MerError(
    'bad_argument',
    `--${mode}_weights ${file} is a ${checkpoint.spec.mode} checkpoint.`,
    `Give it as --${checkpoint.spec.mode}_weights, or give a ${mode} checkpoint.`,
  );
}

async function readChecked(file: string): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(file);
  const { spec, state } = checkpoint;
  requireSevenClasses(checkpoint);
  checkState(state, networkParameters(spec), checkpoint.file, spec);
  return checkpoint;
}

/** A head of another height is a network for other classes, and says more than the shape of a tensor does. */
function requireSevenClasses({ state, file }: Checkpoint): void {
  for (const [name, { shape }] of state) {
    const head = /(^|\.)(multimodal_)?out\.bias$/.test(name);
    if (!head || shape[0] === EMOTION_COUNT) continue;
    throw new MerError(
      'bad_file',
      `${file} tells ${shape[0]} classes apart (tensor ${name}); bundles have the ${EMOTION_COUNT} of ${EMOTIONS.join(' ')}.`,
      'Train on labels of these classes.',
    );
  }
}

/** `whole` with the branch of a unimodal checkpoint in place of its own. */
function withBranch(whole: Checkpoint, part: Checkpoint): Checkpoint {
  const modality = part.spec.mode as Modality;
  requireSameKind(whole, part, modality);
  const prefix = BRANCH_PREFIX[modality];
  const state: StateDict = new Map(whole.state);
  let changed = false;
  for (const { name } of networkParameters(part.spec)) {
    const tensor = part.state.get(name)!;
    changed ||= Buffer.compare(bytesOf(tensor.data), bytesOf(state.get(prefix + name)!.data)) !== 0;
    state.set(prefix + name, tensor);
  }
  if (!changed) return whole;
  // What was measured of the fusion was measured with the other branch.
  const { inte: _inte, [modality]: _own, ...metrics } = whole.metrics;
  const own = part.metrics.inte;
  return {
    ...whole,
    state,
    metrics: { ...metrics, ...(own && { [modality]: own }) },
    origins: { ...whole.origins, [modality]: part.origins[modality] },
    config: { ...whole.config, [`${modality}_weights`]: path.basename(part.file) },
  };
}

/** @throws MerError bad_argument naming both files and the first matter in which they differ */
function requireSameKind(whole: Checkpoint, part: Checkpoint, modality: Modality): void {
  const remedy = 'Export checkpoints that were trained on the same features with the same flags.';
  for (const field of ['compat', ...BRANCH_FIELDS[modality]] as const) {
    if (whole.spec[field] === part.spec[field]) continue;
    throw new MerError(
      'bad_argument',
      `${part.file} has ${field} ${part.spec[field]}, ${whole.file} has ${field} ${whole.spec[field]}.`,
      remedy,
    );
  }
  if (modality === 'face' && whole.subject !== part.subject) {
    const message = `${part.file} saw the subject ${part.subject}, ${whole.file} the subject ${whole.subject}.`;
    throw new MerError('bad_argument', message, remedy);
  }
  if (modality === 'text') {
    const [one, other] = [part, whole].map(({ file, wordTable }) => ({ of: file, table: wordTable }));
    requireSameTable(one!, other!, remedy);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The modalities that a network of `spec` has a branch for, and what stands before its parameters' names. */
export function branchesOf(spec: ModelSpec): { modality: Modality; prefix: string }[] {
  if (spec.mode !== 'multimodal') return [{ modality: spec.mode, prefix: '' }];
  return MODALITIES.map((modality) => ({ modality, prefix: BRANCH_PREFIX[modality] }));
}
