import { softmax } from '../../common/metrics.js';

/** A temperature beyond these is the sign of a network that knows nothing, or of clips that it knows by heart. */
const LEAST = 0.05;
const LARGEST = 20;
/** Halvings of the interval of log(1/T): far below the last digit that a probability shows. */
const HALVINGS = 40;

/**
 * The temperature T that gives `softmax(logits / T)` the least negative log-likelihood (Guo et al. 2017, arXiv
 * 1706.04599). That is convex in 1/T, so the zero of its slope is found by halving, whatever the logits are.
 *
 * @param logits one row of finite numbers a clip
 * @param labels class index a clip
 * @returns between 0.05 and 20; 1 when no temperature is better than another
 */
export function fitTemperature(logits: readonly ArrayLike<number>[], labels: readonly number[]): number {
  let [low, high] = [Math.log(1 / LARGEST), Math.log(1 / LEAST)];
  if (slope(logits, labels, Math.exp(low)) === 0 && slope(logits, labels, Math.exp(high)) === 0) return 1;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (slope(logits, labels, Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(-(low + high) / 2);
}

/** Slope of the summed negative log-likelihood in b = 1/T: what the logits are on average, less that of the label. */
function slope(logits: readonly ArrayLike<number>[], labels: readonly number[], b: number): number {
  let sum = 0;
  for (const [row, label] of labels.entries()) {
    const values = logits[row]!;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]!);
    // Differences from the label's logit, so that equal logits give exactly 0.
    let [weighted, total] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      const weight = Math.exp(b * (values[i]! - largest));
      weighted += weight * (values[i]! - values[label]!);
      total += weight;
    }
    sum += weighted / total;
  }
  return sum;
}

/** One row of probabilities at a temperature. */
export function tempered(logits: ArrayLike<number>, temperature: number): number[] {
  return softmax(Array.from(logits, (value) => value / temperature));
}
