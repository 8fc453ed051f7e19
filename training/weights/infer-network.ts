import { MerError } from '../../common/errors.js';
import type { StateDict } from '../../common/safetensors.js';
import { BRANCH_PREFIX } from '../../models/multimodal.js';
import { networkParameters } from '../../models/parameters.js';
import { COEFFICIENTS, type Coefficient, type Mode, type ModelSpec } from '../../models/spec.js';

/** Prefix of the EfficientNet's parameter names in each network that has one. */
export const BACKBONE_PREFIX = { speech: 'model.', face: 'backbone_model.' } as const;

/** A complete description, for what a state dict does not say or its network has no part of. */
const REFERENCE_SPEC: ModelSpec = {
  mode: 'multimodal',
  compat: 'seed',
  speechCoefficient: '0',
  faceCoefficient: '0',
  faceSize: 224,
  textLayers: 12,
  textHeads: 8,
  wordDim: 200,
  maxWords: 38,
  fan: 'self',
  fusion: 'concat',
};

/** What the names and shapes of a state dict say of its network. */
export interface InferredNetwork {
  mode: Mode;
  speechCoefficient?: Coefficient;
  faceCoefficient?: Coefficient;
  textLayers?: number;
  fan?: ModelSpec['fan'];
  fusion?: ModelSpec['fusion'];
}

interface BackboneSize {
  stem: number | undefined;
  head: number | undefined;
  blocks: number;
}

/** What tells the EfficientNets apart: channels of the first and the last convolution, and how many blocks. */
function backboneSize(shapes: ReadonlyMap<string, { shape: readonly number[] }>, prefix: string): BackboneSize {
  const blocks = new Set<string>();
  for (const name of shapes.keys()) {
    if (!name.startsWith(`${prefix}_blocks.`)) continue;
    blocks.add(name.slice(prefix.length).split('.')[1]!);
  }
  return {
    stem: shapes.get(`${prefix}_conv_stem.weight`)?.shape[0],
    head: shapes.get(`${prefix}_conv_head.weight`)?.shape[0],
    blocks: blocks.size,
  };
}

/** As people call it: b0 to b7, or tiny. */
export function efficientNetName(coefficient: Coefficient): string {
  return coefficient === 'tiny' ? coefficient : `b${coefficient}`;
}

/** The EfficientNet under `prefix` in `tensors`; null when it is none that this program knows. */
export function inferCoefficient(tensors: StateDict, prefix: string): Coefficient | null {
  const wanted = JSON.stringify(backboneSize(tensors, prefix));
  const found = COEFFICIENTS.find((coefficient) => {
    const parameters = networkParameters({ ...REFERENCE_SPEC, mode: 'face', faceCoefficient: coefficient });
    const shapes = new Map(parameters.map((parameter) => [parameter.name, parameter]));
    return JSON.stringify(backboneSize(shapes, BACKBONE_PREFIX.face)) === wanted;
  });
  return found ?? null;
}

/**
 * Which of the four networks a state dict is of. Attention heads leave no trace in it.
 * @returns null when it is none of them
 * @throws MerError bad_file for an EfficientNet of a size that this program does not know
 */
export function inferNetwork(tensors: StateDict, file: string): InferredNetwork | null {
  const has = (name: string) => tensors.has(name);
  const coefficient = (prefix: string): Coefficient => {
    const found = inferCoefficient(tensors, prefix);
    if (found !== null) return found;
    const { stem, head, blocks } = backboneSize(tensors, prefix);
    throw new MerError(
      'bad_file',
      `${file}: ${prefix}* is an EfficientNet of ${blocks} blocks, ${stem} channels at the stem and ${head ?? 'no'} at the head, which is none of b0 to b7.`,
      'Give weights under the names of efficientnet_pytorch.',
    );
  };
  const fan = (prefix: string) => (has(`${prefix}out.attention.l2.weight`) ? 'relation' : 'self');
  const layers = (prefix: string) => {
    const start = `${prefix}transformer_encoder.layers.`;
    const names = [...tensors.keys()].filter((name) => name.startsWith(start));
    return new Set(names.map((name) => name.slice(start.length).split('.')[0])).size;
  };
  if (has('multimodal_out.weight')) {
    const { speech, face, text } = BRANCH_PREFIX;
    return {
      mode: 'multimodal',
      speechCoefficient: coefficient(speech + BACKBONE_PREFIX.speech),
      faceCoefficient: coefficient(face + BACKBONE_PREFIX.face),
      textLayers: layers(text),
      fan: fan(speech),
      fusion: has('fusion.gate.speech.weight') ? 'gated' : 'concat',
    };
  }
  if (has(`${BACKBONE_PREFIX.speech}_conv_stem.weight`)) {
    return { mode: 'speech', speechCoefficient: coefficient(BACKBONE_PREFIX.speech), fan: fan('') };
  }
  if (has(`${BACKBONE_PREFIX.face}_conv_stem.weight`)) {
    return { mode: 'face', faceCoefficient: coefficient(BACKBONE_PREFIX.face), fan: fan('') };
  }
  if (layers('') > 0) return { mode: 'text', textLayers: layers('') };
  return null;
}
