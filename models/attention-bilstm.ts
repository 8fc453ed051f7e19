import { EMOTION_COUNT } from '../common/labels.js';
import type { Kinds, Ops } from './ops.js';
import type { ModelSpec } from './spec.js';

/** What a branch of the multimodal model gives. */
export interface BranchOutput<K extends Kinds> {
  /** (batch, features): what the fusion sees. */
  feature: K['vector'];
  /** (batch, 7). */
  logits: K['vector'];
  /** (batch, time): each step's share of the pooled feature; sums to 1 over the real steps. */
  attention: K['vector'];
}

const DROPOUT = 0.2;

export interface AttentionBiLstmOptions {
  /** Prefix of the parameter names, with its final dot. */
  prefix: string;
  inFeatures: number;
  hidden: number;
  fan: ModelSpec['fan'];
}

export function attentionBiLstmFeatures(hidden: number, fan: ModelSpec['fan']): number {
  return fan === 'relation' ? 4 * hidden : 2 * hidden;
}

/**
 * A bidirectional LSTM, the frame attention mean of FAN (arXiv 1907.00193), dropout, and a linear layer:
 * a = sigmoid(l1(f)) + 1e-3, v = sum(a f) / sum(a); in mode `relation` also
 * b = sigmoid(l2([v, f])) + 1e-3, v = sum(a b [v, f]) / sum(a b).
 */
export function attentionBiLstm<K extends Kinds>(
  ops: Ops<K>,
  x: K['sequence'],
  { prefix, inFeatures, hidden, fan }: AttentionBiLstmOptions,
): BranchOutput<K> {
  const f = ops.bidirectionalLstm(x, { name: `${prefix}encoder`, inFeatures, hidden });
  const score = (value: K['sequence'], name: string, features: number) =>
    ops.frameWeights(
      ops.linearEach(value, { name: `${prefix}attention.${name}`, inFeatures: features, outFeatures: 1 }),
    );
  let weights = score(f, 'l1', 2 * hidden);
  let feature = ops.weightedMean(f, weights);
  if (fan === 'relation') {
    const related = ops.concatEach(feature, f);
    weights = ops.multiplySequences(weights, score(related, 'l2', 4 * hidden));
    feature = ops.weightedMean(related, weights);
  }
  const logits = attentionBiLstmHead(ops, feature, prefix, attentionBiLstmFeatures(hidden, fan));
  return { feature, logits, attention: ops.shares(weights) };
}

/** The last step of {@link attentionBiLstm}: (batch, features) -> (batch, 7) logits. */
export function attentionBiLstmHead<K extends Kinds>(
  ops: Ops<K>,
  feature: K['vector'],
  prefix: string,
  inFeatures: number,
): K['vector'] {
  return ops.linear(ops.dropout(feature, DROPOUT), { name: `${prefix}out`, inFeatures, outFeatures: EMOTION_COUNT });
}
