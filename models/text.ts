import { EMOTION_COUNT } from '../common/labels.js';
import type { BranchOutput } from './attention-bilstm.js';
import type { Kinds, Ops } from './ops.js';
import type { ModelSpec } from './spec.js';

/** Width of the encoder: that of the word vectors of the challenge. */
export const TEXT_FEATURES = 200;
const FEED_FORWARD = 2048;
const DROPOUT = 0.1;
const EPSILON = 1e-5;

/**
 * A Transformer encoder (arXiv 1706.03762; post-norm, ReLU) over word vectors, mean over the words, linear layer.
 * It attends over the words of one clip, with a padding mask and sinusoidal positions. Word vectors of another
 * width than 200 pass a learned projection first.
 *
 * In compat seed it attends across the clips of a batch, at each place of the sentence for itself and without
 * positions, and the padding counts in the mean: the reference hands batch-first input to a sequence-first encoder.
 */
export function textNetwork<K extends Kinds>(
  ops: Ops<K>,
  spec: ModelSpec,
  words: K['sequence'],
  prefix = '',
): BranchOutput<K> {
  let x = words;
  if (spec.wordDim !== TEXT_FEATURES) {
    x = ops.linearEach(x, { name: `${prefix}projection`, inFeatures: spec.wordDim, outFeatures: TEXT_FEATURES });
  }
  const acrossClips = spec.compat === 'seed';
  x = acrossClips ? ops.exchangeBatchAndTime(x) : ops.addPositions(x, TEXT_FEATURES, spec.maxWords);
  for (let layer = 0; layer < spec.textLayers; layer++) {
    x = encoderLayer(ops, x, `${prefix}transformer_encoder.layers.${layer}.`, spec.textHeads);
  }
  if (acrossClips) x = ops.exchangeBatchAndTime(x);
  const weights = ops.equalWeights(x);
  const feature = ops.weightedMean(x, weights);
  return { feature, logits: textHead(ops, feature, prefix), attention: ops.shares(weights) };
}

/** The last step of {@link textNetwork}: (batch, 200) -> (batch, 7) logits. */
export function textHead<K extends Kinds>(ops: Ops<K>, feature: K['vector'], prefix = ''): K['vector'] {
  return ops.linear(feature, { name: `${prefix}out`, inFeatures: TEXT_FEATURES, outFeatures: EMOTION_COUNT });
}

/** torch.nn.TransformerEncoderLayer with its default post-normalisation. */
export function encoderLayer<K extends Kinds>(
  ops: Ops<K>,
  x: K['sequence'],
  prefix: string,
  heads: number,
): K['sequence'] {
  const features = TEXT_FEATURES;
  const norm = (place: number) => ({ name: `${prefix}norm${place}`, features, epsilon: EPSILON });
  const attended = ops.multiHeadAttention(x, { name: `${prefix}self_attn`, features, heads, dropout: DROPOUT });
  x = ops.addAndNorm(x, attended, norm(1), DROPOUT);
  const widening = { name: `${prefix}linear1`, inFeatures: features, outFeatures: FEED_FORWARD };
  const narrowing = { name: `${prefix}linear2`, inFeatures: FEED_FORWARD, outFeatures: features };
  return ops.addAndNorm(x, ops.feedForwardEach(x, widening, narrowing, DROPOUT), norm(2), DROPOUT);
}
