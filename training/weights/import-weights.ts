import path from 'node:path';
import type { Compat } from '../../common/bundle.js';
import { MerError } from '../../common/errors.js';
import { MODALITIES } from '../../common/labels.js';
import { type StateDict, writeSafetensors } from '../../common/safetensors.js';
import { BRANCH_PREFIX } from '../../models/multimodal.js';
import { networkParameters, parameterCount } from '../../models/parameters.js';
import type { Mode, ModelSpec } from '../../models/spec.js';
import { checkState, writeCheckpoint } from '../checkpoint.js';
import { modelSpec, trainConfigSchema } from '../config.js';
import { efficientNetName, inferCoefficient, inferNetwork } from './infer-network.js';
import type { Origins } from './origin.js';
import { readWeights, type WeightsFile } from './read-weights.js';

/** Width of the reference's word vectors. */
const WORD_DIM = 200;

/** Face frames a clip that a checkpoint is served with when no features say so. */
const MAX_FRAMES = 32;

/** Layers of the reference's text network, which then has 8 heads. */
const REFERENCE_LAYERS = 12;

export interface ImportOptions {
  /** PyTorch or safetensors file. */
  file: string;
  /** The checkpoint to write. */
  out: string;
  /** In a multimodal file, the branch to take; all that the file holds by default. */
  mode?: Mode | undefined;
  /** Attention heads of the text network: they leave no trace in the weights. */
  textHeads?: number | undefined;
  /** How the network was trained, and what its weights therefore mean: seed by default. */
  compat?: Compat | undefined;
}

export interface ImportResult {
  /** Null for a bare EfficientNet, for `--backbone_weights`. */
  spec: ModelSpec | null;
  /** What was read, in a few words. */
  network: string;
  /** Count of trainable numbers. */
  parameters: number;
}

/**
 * Makes a checkpoint of this program from the weights of the reference's, or a safetensors file of an
 * efficientnet_pytorch one. The network follows from the names and shapes of the tensors.
 *
 * @throws MerError not_found, bad_file naming the first tensor that does not fit, bad_argument, missing_part
 */
export async function importWeights(options: ImportOptions): Promise<ImportResult> {
  if (path.extname(options.out) !== '.safetensors') {
    throw new MerError('bad_argument', `--out ${options.out} is no .safetensors file.`, 'Name it NAME.safetensors.');
  }
  const weights = await readWeights(options.file);
  if (weights.metadata.mer !== undefined) {
    throw new MerError(
      'bad_argument',
      `${options.file} is a checkpoint of this program already.`,
      'Use it as it is, with --speech_load_weights and the like.',
    );
  }
  const tensors = branchOnly(weights, options.mode);
  const inferred = inferNetwork(tensors, options.file);
  if (inferred === null) return importBackbone(weights, options);
  const { mode } = inferred;
  if (options.mode !== undefined && options.mode !== mode) {
    throw new MerError(
      'bad_file',
      `${options.file} holds a ${mode} network, not ${options.mode}.`,
      'Leave out --mode.',
    );
  }
  const compat = options.compat ?? 'seed';
  const config = trainConfigSchema.parse({
    mode,
    compat,
    speech_coeff: inferred.speechCoefficient,
    face_coeff: inferred.faceCoefficient,
    text_layers: inferred.textLayers,
    text_heads: textHeads(options, inferred.textLayers),
    fan: inferred.fan,
    fusion: inferred.fusion ?? 'concat',
  });
  const spec = modelSpec(config, WORD_DIM);
  const parameters = networkParameters(spec);
  checkState(tensors, parameters, options.file, spec);
  const state: StateDict = new Map(parameters.map(({ name }) => [name, tensors.get(name)!]));
  refuseOthers(tensors, state, options.file);
  const origins: Origins = {};
  for (const modality of MODALITIES) {
    if (mode !== 'multimodal' && mode !== modality) continue;
    origins[modality] = { imported: { file: options.file, sha256: weights.sha256 } };
  }
  const info = { spec, config: {}, epoch: 0, maxFrames: MAX_FRAMES, wordTable: null, metrics: {}, origins };
  await writeCheckpoint(options.out, state, info);
  return { spec, network: describe(spec), parameters: parameterCount(parameters) };
}

/** Taken out of a multimodal state dict, a branch has the names of its own network. */
function branchOnly({ tensors }: WeightsFile, mode: Mode | undefined): StateDict {
  if (mode === undefined || mode === 'multimodal' || !tensors.has('multimodal_out.weight')) return tensors;
  const prefix = BRANCH_PREFIX[mode];
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function textHeads({ textHeads, file }: ImportOptions, layers: number | undefined): number | undefined {
  if (textHeads !== undefined || layers === undefined || layers === REFERENCE_LAYERS) return textHeads;
  throw new MerError(
    'bad_argument',
    `The weights of ${file} do not tell how many attention heads its ${layers} layers have.`,
    'Add --text_heads N (the reference has 8 heads with 12 layers, 4 with 3).',
  );
}

/**
 * The reference's state dicts hold a few tensors that no network needs: counts of batches, an ImageNet classifier, the
 * layer that the text encoder's were cloned from. Anything else means that the network is another one.
 */
function refuseOthers(tensors: StateDict, used: StateDict, file: string): void {
  for (const name of tensors.keys()) {
    if (used.has(name) || isUnused(name)) continue;
    throw new MerError(
      'bad_file',
      `${file}: tensor ${name} has no place in the ${used.size} tensors of this network.`,
      "Give weights of one of the reference's four networks.",
    );
  }
}

function isUnused(name: string): boolean {
  return name.endsWith('.num_batches_tracked') || /(^|\.)(_fc|encoder_layer)\./.test(name);
}

async function importBackbone({ tensors, sha256 }: WeightsFile, { file, out }: ImportOptions): Promise<ImportResult> {
  const coefficient = inferCoefficient(tensors, '');
  if (coefficient === null) {
    const names = [...tensors.keys()].slice(0, 3).join(', ');
    throw new MerError(
      'bad_file',
      `${file} holds neither one of the four networks nor an EfficientNet: ${names || 'nothing'} ….`,
      'Give a state dict with the names of the reference or of efficientnet_pytorch.',
    );
  }
  await writeSafetensors(out, tensors, { format: 'pt', source: file, source_sha256: sha256 });
  const parameters = [...tensors]
    .filter(([name]) => !/running_(mean|var)$|num_batches_tracked$/.test(name))
    .reduce((sum, [, { data }]) => sum + data.length, 0);
  return { spec: null, network: `EfficientNet-${efficientNetName(coefficient)} for --backbone_weights`, parameters };
}

function describe(spec: ModelSpec): string {
  const speech = `speech EfficientNet-${efficientNetName(spec.speechCoefficient)}`;
  const face = `face EfficientNet-${efficientNetName(spec.faceCoefficient)}`;
  const text = `text ${spec.textLayers} layers, ${spec.textHeads} heads`;
  const fan = `frame attention ${spec.fan}`;
  switch (spec.mode) {
    case 'speech':
      return `${speech}, ${fan}`;
    case 'face':
      return `${face}, ${fan}`;
    case 'text':
      return text;
    case 'multimodal':
      return `${speech}, ${face}, ${text}, ${fan}, ${spec.fusion} fusion`;
  }
}
