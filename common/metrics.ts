import { EMOTION_COUNT } from './labels.js';

export interface ClassificationMetrics {
  clips: number;
  accuracy: number;
  /** Unweighted mean of the F1 of the classes that occur as label or prediction. */
  macroF1: number;
  /** Mean negative log-likelihood of the label, in nats. */
  nll: number;
  /** confusion[label][prediction], counts. */
  confusion: number[][];
}

/**
 * @param probabilities one row of 7 a clip, each summing to 1
 * @param labels class index 0..6 a clip
 */
export function classificationMetrics(
  probabilities: readonly ArrayLike<number>[],
  labels: readonly number[],
): ClassificationMetrics {
  const confusion = Array.from({ length: EMOTION_COUNT }, () => new Array<number>(EMOTION_COUNT).fill(0));
  let nll = 0;
  for (const [row, label] of labels.entries()) {
    const scores = probabilities[row]!;
    confusion[label]![argmax(scores)]! += 1;
    nll -= Math.log(Math.max(scores[label]!, 1e-12)) / labels.length;
  }
  const f1: number[] = [];
  let correct = 0;
  for (let c = 0; c < EMOTION_COUNT; c++) {
    const hits = confusion[c]![c]!;
    const actual = confusion[c]!.reduce((sum, n) => sum + n, 0);
    const predicted = confusion.reduce((sum, counts) => sum + counts[c]!, 0);
    correct += hits;
    if (actual + predicted > 0) f1.push((2 * hits) / (actual + predicted));
  }
  const macroF1 = f1.reduce((sum, value) => sum + value, 0) / Math.max(f1.length, 1);
  return { clips: labels.length, accuracy: correct / Math.max(labels.length, 1), macroF1, nll, confusion };
}

/** Index of the largest value; the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Softmax of one row of logits, computed in float64. */
export function softmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const maximum = Math.max(...values);
  const exponentials = values.map((value) => Math.exp(value - maximum));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}
