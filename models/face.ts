import {
  attentionBiLstm,
  attentionBiLstmFeatures,
  attentionBiLstmHead,
  type BranchOutput,
} from './attention-bilstm.js';
import { efficientNet, efficientNetFeatures } from './efficientnet.js';
import type { Kinds, Ops } from './ops.js';
import type { ModelSpec } from './spec.js';

const IMAGENET_MEAN = [0.485, 0.456, 0.406];
const IMAGENET_STD = [0.229, 0.224, 0.225];

function hiddenSize(spec: ModelSpec): number {
  return efficientNetFeatures(spec.faceCoefficient) / 4;
}

export function faceFeatures(spec: ModelSpec): number {
  return attentionBiLstmFeatures(hiddenSize(spec), spec.fan);
}

/** CLSTM: EfficientNet on every frame, global average pooling, then the attention BiLSTM over the frames. */
export function faceNetwork<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  frames: K['frames'],
  prefix = '',
): BranchOutput<K> {
  const images = ops.normalizeFrames(frames, IMAGENET_MEAN, IMAGENET_STD);
  const features = efficientNet(ops, images, {
    prefix: `${prefix}backbone_model.`,
    coefficient: spec.faceCoefficient,
    inChannels: 3,
  });
  const pooled = ops.flatten(ops.globalAveragePool(features));
  return attentionBiLstm(ops, ops.framesToSequence(pooled, frames), {
    prefix: `${prefix}out.`,
    inFeatures: efficientNetFeatures(spec.faceCoefficient),
    hidden: hiddenSize(spec),
    fan: spec.fan,
  });
}

/** The last step of {@link faceNetwork}: (batch, features) -> (batch, 7) logits. */
export function faceHead<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  feature: K['vector'],
  prefix = '',
): K['vector'] {
  return attentionBiLstmHead(ops, feature, `${prefix}out.`, faceFeatures(spec));
}
