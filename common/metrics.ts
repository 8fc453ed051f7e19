import { type ClassScores, classScores, weightedF1 } from './class-scores.js';
import { EMOTION_COUNT, type Emotion } from './labels.js';

/** Bins of equal width over the confidence, for the calibration error. */
const CALIBRATION_BINS = 15;

/** How the probabilities of one output fared against the labels. */
export interface ClassificationMetrics {
  clips: number;
  accuracy: number;
  /** Unweighted mean of the F1 of the classes that occur as label or prediction. */
  macroF1: number;
  /** Mean of the F1 of the classes, weighted by their clips. */
  weightedF1: number;
  /** Mean negative log-likelihood of the label, in nats. */
  nll: number;
  /** Expected calibration error, 0..1; see {@link calibrationError}. */
  ece: number;
  classes: Record<Emotion, ClassScores>;
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
  let correct = 0;
  // Plain loops: bootstrapping runs them a thousand times.
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    const scores = probabilities[row]!;
    const predicted = argmax(scores);
    confusion[label]![predicted]! += 1;
    correct += Number(predicted === label);
    nll -= Math.log(Math.max(scores[label]!, 1e-12)) / labels.length;
  }
  const classes = classScores(confusion);
  const occurring = Object.values(classes).filter((_, c) => {
    return confusion[c]!.some((count) => count > 0) || confusion.some((counts) => counts[c]! > 0);
  });
  return {
    clips: labels.length,
    accuracy: correct / Math.max(labels.length, 1),
    macroF1: occurring.reduce((sum, { f1 }) => sum + f1, 0) / Math.max(occurring.length, 1),
    weightedF1: weightedF1(classes),
    nll,
    ece: calibrationError(probabilities, labels),
    classes,
    confusion,
  };
}

/** Clips whose predicted class has a probability within one interval. */
export interface ReliabilityBin {
  clips: number;
  /** Mean probability of the predicted class, and the share of the clips whose prediction is right; 0 without clips. */
  confidence: number;
  accuracy: number;
}

/**
 * The points of a reliability diagram: the clips in 15 bins of equal width by the probability of their predicted class.
 * Bins are open on the left: (0, 1/15], (1/15, 2/15] and so on.
 */
export function reliabilityBins(
  probabilities: readonly ArrayLike<number>[],
  labels: readonly number[],
): ReliabilityBin[] {
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ clips: 0, confidence: 0, accuracy: 0 }));
  for (let row = 0; row < labels.length; row++) {
    const scores = probabilities[row]!;
    const predicted = argmax(scores);
    const confidence = scores[predicted]!;
    const index = Math.min(Math.max(Math.ceil(confidence * CALIBRATION_BINS) - 1, 0), CALIBRATION_BINS - 1);
    const bin = bins[index]!;
    bin.clips += 1;
    bin.confidence += confidence;
    bin.accuracy += Number(predicted === labels[row]);
  }
  return bins.map(({ clips, confidence, accuracy }) => ({
    clips,
    confidence: confidence / Math.max(clips, 1),
    accuracy: accuracy / Math.max(clips, 1),
  }));
}

/**
 * Expected calibration error (Guo et al. 2017, arXiv 1706.04599): the mean over the clips of |accuracy - mean
 * probability| of their bin of {@link reliabilityBins}.
 */
export function calibrationError(probabilities: readonly ArrayLike<number>[], labels: readonly number[]): number {
  const bins = reliabilityBins(probabilities, labels);
  const error = bins.reduce((sum, bin) => sum + bin.clips * Math.abs(bin.accuracy - bin.confidence), 0);
  return error / Math.max(labels.length, 1);
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
