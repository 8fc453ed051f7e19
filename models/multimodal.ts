import { EMOTION_COUNT, MODALITIES, type Modality } from '../common/labels.js';
import type { BranchOutput } from './attention-bilstm.js';
import { faceFeatures, faceHead, faceNetwork } from './face.js';
import type { Kinds, Ops } from './ops.js';
import type { ModelSpec } from './spec.js';
import { type SpeechInput, speechFeatures, speechHead, speechNetwork } from './speech.js';
import { TEXT_FEATURES, textHead, textNetwork } from './text.js';

/** Prefix of each branch's parameter names in a multimodal checkpoint. */
export const BRANCH_PREFIX: Record<Modality, string> = {
  speech: 'speech_model.',
  face: 'face_model.',
  text: 'text_model.',
};

/** Width of the common space in which the gated fusion adds the modalities. */
const GATED_FEATURES = 256;
const DROPOUT = 0.2;

export interface MultimodalInput<K extends Kinds> {
  speech: SpeechInput<K>;
  face: K['frames'];
  text: K['sequence'];
  presence: K['presence'];
}

export interface MultimodalOutput<K extends Kinds> {
  /** (batch, 7): the integrated emotion. */
  logits: K['vector'];
  branches: Record<Modality, BranchOutput<K>>;
}

/** Features of each branch, as the fusion sees them. */
export function branchFeatures(spec: ModelSpec): Record<Modality, number> {
  return { speech: speechFeatures(spec), face: faceFeatures(spec), text: TEXT_FEATURES };
}

export function multimodalNetwork<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  input: MultimodalInput<K>,
): MultimodalOutput<K> {
  const branches = {
    speech: speechNetwork(ops, spec, input.speech, BRANCH_PREFIX.speech),
    face: faceNetwork(ops, spec, input.face, BRANCH_PREFIX.face),
    text: textNetwork(ops, spec, input.text, BRANCH_PREFIX.text),
  };
  const features = { speech: branches.speech.feature, face: branches.face.feature, text: branches.text.feature };
  return { logits: fusionNetwork(ops, spec, features, input.presence), branches };
}

/** Logits of one branch from its feature: what the branch itself computes, for another use of the same head. */
export function branchHead<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  modality: Modality,
  feature: K['vector'],
): K['vector'] {
  const prefix = BRANCH_PREFIX[modality];
  switch (modality) {
    case 'speech':
      return speechHead(ops, spec, feature, prefix);
    case 'face':
      return faceHead(ops, spec, feature, prefix);
    case 'text':
      return textHead(ops, feature, prefix);
  }
}

/**
 * The fusion of the three features: (batch, 7) logits.
 * `concat`: one linear layer over the features side by side, zeros for a missing one, as in the reference.
 * `gated`: a gated multimodal unit (arXiv 1702.01992): each feature is projected to a common space, weighed by a
 * gate that sees all of them, and summed; a missing one is replaced by a learned embedding.
 */
export function fusionNetwork<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  features: Record<Modality, K['vector']>,
  presence: K['presence'],
): K['vector'] {
  const sizes = branchFeatures(spec);
  const total = sizes.speech + sizes.face + sizes.text;
  if (spec.fusion === 'concat') {
    const parts = MODALITIES.map((modality, index) => ops.zeroWhenMissing(features[modality], presence, index));
    return ops.linear(ops.concat(parts), { name: 'multimodal_out', inFeatures: total, outFeatures: EMOTION_COUNT });
  }
  const parts = MODALITIES.map((modality, index) =>
    ops.whenPresent(features[modality], presence, index, `fusion.missing.${modality}`, sizes[modality]),
  );
  const all = ops.concat(parts);
  let sum: K['vector'] | undefined;
  for (const [index, modality] of MODALITIES.entries()) {
    const layer = (name: string, inFeatures: number) => ({
      name: `fusion.${name}.${modality}`,
      inFeatures,
      outFeatures: GATED_FEATURES,
    });
    const value = ops.tanh(ops.linear(parts[index], layer('value', sizes[modality])));
    const weighed = ops.multiply(ops.sigmoid(ops.linear(all, layer('gate', total))), value);
    sum = sum === undefined ? weighed : ops.add(sum, weighed);
  }
  return ops.linear(ops.dropout(sum, DROPOUT), {
    name: 'multimodal_out',
    inFeatures: GATED_FEATURES,
    outFeatures: EMOTION_COUNT,
  });
}
