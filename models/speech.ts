import {
  attentionBiLstm,
  attentionBiLstmFeatures,
  attentionBiLstmHead,
  type BranchOutput,
} from './attention-bilstm.js';
import { EFFICIENTNET_STRIDE, efficientNet, efficientNetFeatures } from './efficientnet.js';
import type { Kinds, Ops } from './ops.js';
import type { ModelSpec } from './spec.js';

/** Log-mel spectrograms (batch, 128 bands, 400 frames, 1) and how many frames of each are real. */
export interface SpeechInput<K extends Kinds> {
  logMel: K['image'];
  lengths: K['lengths'];
}

const MEL_BANDS = 128;

function hiddenSize(spec: ModelSpec): number {
  return spec.speechCoefficient === 'tiny' ? 64 : 512;
}

export function speechFeatures(spec: ModelSpec): number {
  return attentionBiLstmFeatures(hiddenSize(spec), spec.fan);
}

/** AttnCNN: EfficientNet over the spectrogram, mean over frequency, then the attention BiLSTM over time. */
export function speechNetwork<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  { logMel, lengths }: SpeechInput<K>,
  prefix = '',
): BranchOutput<K> {
  const features = efficientNet(ops, logMel, {
    prefix: `${prefix}model.`,
    coefficient: spec.speechCoefficient,
    inChannels: 1,
    stemImageSize: MEL_BANDS,
  });
  return attentionBiLstm(ops, ops.meanOverHeight(features, lengths, EFFICIENTNET_STRIDE), {
    prefix: `${prefix}out.`,
    inFeatures: efficientNetFeatures(spec.speechCoefficient),
    hidden: hiddenSize(spec),
    fan: spec.fan,
  });
}

/** The last step of {@link speechNetwork}: (batch, features) -> (batch, 7) logits. */
export function speechHead<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  feature: K['vector'],
  prefix = '',
): K['vector'] {
  return attentionBiLstmHead(ops, feature, `${prefix}out.`, speechFeatures(spec));
}
