import { MerError } from '../common/errors.js';
import { sha256File } from '../common/files.js';
import { MODALITIES, type Modality } from '../common/labels.js';
import { Random } from '../common/random.js';
import type { StateDict } from '../common/safetensors.js';
import { BRANCH_PREFIX } from '../models/multimodal.js';
import type { ParameterSpec } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { requireSameTable } from '../preprocessing/words/same-table.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import type { TrainConfig } from './config.js';
import { loadBackbone } from './weights/backbone.js';
import { describeOrigin, type Origins, randomBackbones } from './weights/origin.js';

/** Random starting values; each parameter has a stream of its own, so that none depends on the others. */
export function randomState(parameters: readonly ParameterSpec[], seed: number): StateDict {
  const state: StateDict = new Map();
  for (const { name, shape, initializer } of parameters) {
    const random = Random.for(seed, 'initial', name);
    const count = shape.reduce((product, size) => product * size, 1);
    const draw = (): number => {
      switch (initializer.kind) {
        case 'uniform':
          return random.between(-initializer.bound, initializer.bound);
        case 'normal':
          return initializer.std * random.normal();
        case 'constant':
          return initializer.value;
      }
    };
    state.set(name, { dtype: 'F32', shape: [...shape], data: Float32Array.from({ length: count }, draw) });
  }
  return state;
}

/**
 * Replaces the starting values of the networks for which the flags name a checkpoint (in multimodal training each
 * branch, else the network itself), and then those of the other EfficientNets where the flags name a file for them.
 *
 * @param wordTable of the features' words, by its sha256; null where vectors were given
 * @returns where the weights of each modality that the network has began
 * @throws MerError bad_file when a file is of another network, bad_argument when a flag has no use
 */
export async function loadStartingWeights(
  state: StateDict,
  spec: ModelSpec,
  config: TrainConfig,
  wordTable: string | null,
): Promise<Origins> {
  const origins: Origins = {};
  for (const modality of MODALITIES) {
    const given = config[`${modality}_load_weights`];
    if (uses(spec, modality)) origins[modality] = {};
    if (given === undefined) continue;
    if (!uses(spec, modality)) {
      throw new MerError(
        'bad_argument',
        `--${modality}_load_weights has no use in mode ${spec.mode}.`,
        `Leave it out, or train in mode ${modality} or multimodal.`,
      );
    }
    const checkpoint = await readCheckpoint(given);
    if (modality === 'text') requireTableOf(checkpoint, wordTable);
    loadCheckpoint(state, spec, modality, checkpoint);
    const { file } = checkpoint;
    origins[modality] = { ...checkpoint.origins[modality], checkpoint: { file, sha256: await sha256File(file) } };
  }
  if (config.backbone_weights !== undefined) await loadBackbones(state, spec, config, origins, config.backbone_weights);
  return origins;
}

function uses(spec: ModelSpec, modality: Modality): boolean {
  return spec.mode === 'multimodal' || spec.mode === modality;
}

function branchPrefix(spec: ModelSpec, modality: Modality): string {
  return spec.mode === 'multimodal' ? BRANCH_PREFIX[modality] : '';
}

function loadCheckpoint(state: StateDict, spec: ModelSpec, modality: Modality, checkpoint: Checkpoint): void {
  requireSameMeaning(spec, modality, checkpoint);
  const prefix = branchPrefix(spec, modality);
  for (const [name, current] of state) {
    if (!name.startsWith(prefix)) continue;
    const loaded = checkpoint.state.get(name.slice(prefix.length));
    if (loaded?.dtype !== 'F32' || loaded.shape.join() !== current.shape.join()) {
      throw new MerError(
        'bad_file',
        `${checkpoint.file}: tensor ${name.slice(prefix.length)} is ${loaded ? `(${loaded.shape})` : 'missing'}, (${current.shape}) is needed.`,
        `Give the same coefficients and sizes as the ${modality} run (it was made with ${JSON.stringify(checkpoint.spec)}).`,
      );
    }
    state.set(name, loaded);
  }
}

/** What shapes do not show: the same weights compute something else with other inputs or heads. */
function requireSameMeaning(spec: ModelSpec, modality: Modality, { file, spec: loaded }: Checkpoint): void {
  if (loaded.compat !== spec.compat) {
    throw new MerError(
      'bad_argument',
      `${file} was trained with --compat ${loaded.compat}, this run has --compat ${spec.compat}.`,
      `Train with --compat ${loaded.compat}; weights of the reference can be imported with --compat ${spec.compat} to be trained on.`,
    );
  }
  if (modality === 'text' && loaded.textHeads !== spec.textHeads) {
    throw new MerError(
      'bad_argument',
      `${file} has ${loaded.textHeads} attention heads, this run has --text_heads ${spec.textHeads}.`,
      `Set --text_heads ${loaded.textHeads}.`,
    );
  }
}

/** Nobody knows the table of imported weights, which have seen no epoch here. */
function requireTableOf({ file, epoch, wordTable }: Checkpoint, table: string | null): void {
  if (epoch === 0) return;
  requireSameTable(
    { of: file, table: wordTable },
    { of: 'the features', table },
    'Run `mer preprocess` with the --word_vectors of that run, or train the text network on these features.',
  );
}

/** The EfficientNets that no checkpoint filled. */
async function loadBackbones(
  state: StateDict,
  spec: ModelSpec,
  config: TrainConfig,
  origins: Origins,
  file: string,
): Promise<void> {
  const open = (['speech', 'face'] as const).filter(
    (modality) => uses(spec, modality) && origins[modality]?.checkpoint === undefined,
  );
  if (open.length === 0) {
    throw new MerError(
      'bad_argument',
      '--backbone_weights has no use: no EfficientNet of this run starts from random weights.',
      'Leave it out.',
    );
  }
  for (const modality of open) {
    origins[modality] = await loadBackbone(state, file, {
      modality,
      coefficient: spec[`${modality}Coefficient`],
      prefix: branchPrefix(spec, modality),
      stem: config.backbone_stem,
    });
  }
}

/** Lines for the log: where the weights began, and a warning where the reference begins better. */
export function describeStart(spec: ModelSpec, origins: Origins): string[] {
  const lines: string[] = [];
  for (const modality of MODALITIES) {
    const origin = origins[modality];
    if (!origin?.checkpoint && !origin?.backbone) continue;
    lines.push(`${modality} starts from ${describeOrigin(origin)}`);
  }
  const random = randomBackbones(spec, origins);
  if (random.length > 0) {
    const which = `EfficientNet${random.length > 1 ? 's' : ''} (${random.join(', ')})`;
    lines.push(`warning: ${which} from random weights; the reference starts from ImageNet (--backbone_weights FILE)`);
  }
  return lines;
}
