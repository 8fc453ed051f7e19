import { EMOTION_COUNT, EMOTIONS } from '../common/labels.js';
import type { TrainConfig } from './config.js';
import type { Example } from './data/dataset.js';

/** Training labels are unbalanced when the most frequent class has over so many times the clips of the rarest. */
const UNBALANCED_RATIO = 2;

/** No class weighs more, so that a handful of clips does not rule the gradient. */
const LARGEST_WEIGHT = 10;

type Label = keyof Example['labels'];

/** A weight for each class by label, or null where all weigh the same. */
export type ClassWeights = Record<Label, readonly number[] | null>;

export const EQUAL_WEIGHTS: ClassWeights = { inte: null, face: null, speech: null };

/**
 * The weights that `--class_weights` asks for, for each of the three labels by itself: clips / (classes that occur * clips of the class),
 * at most 10; 1 for classes that do not occur. With `auto` only where the labels are unbalanced. The labels of face and
 * speech count in multimodal runs only.
 *
 * @param labels class indices of the training clips
 */
export function classWeights(
  labels: readonly Example['labels'][],
  { class_weights: asked, mode }: Pick<TrainConfig, 'class_weights' | 'mode'>,
): ClassWeights {
  const weigh = (label: Label) => {
    const counts = new Array<number>(EMOTION_COUNT).fill(0);
    for (const clip of labels) counts[clip[label]]! += 1;
    const occurring = counts.filter((count) => count > 0);
    const unbalanced = Math.max(...occurring) > UNBALANCED_RATIO * Math.min(...occurring);
    if (label !== 'inte' && mode !== 'multimodal') return null;
    if (asked === 'off' || (asked === 'auto' && !unbalanced)) return null;
    return counts.map((count) =>
      count === 0 ? 1 : Math.min(LARGEST_WEIGHT, labels.length / (occurring.length * count)),
    );
  };
  return { inte: weigh('inte'), face: weigh('face'), speech: weigh('speech') };
}

/**
 * Targets and clip weights of the loss -sum(weight of the class * target * log probability), as torch weighs soft
 * targets: each row is weighed and brought back to a sum of 1, which the clip's weight makes up for.
 *
 * @param rows (clips, 7), rows that sum to 1
 * @param clips (clips): weights of the clips in the mean
 */
export function weighClasses(
  rows: Float32Array,
  clips: Float32Array,
  weights: readonly number[] | null,
): { rows: Float32Array; clips: Float32Array } {
  if (!weights) return { rows, clips };
  const weighed = rows.map((target, i) => target * weights[i % EMOTION_COUNT]!);
  const sums = clips.map((_, clip) => {
    const row = weighed.subarray(clip * EMOTION_COUNT, (clip + 1) * EMOTION_COUNT);
    return row.reduce((sum, value) => sum + value, 0);
  });
  return {
    rows: weighed.map((target, i) => target / sums[Math.floor(i / EMOTION_COUNT)]!),
    clips: clips.map((weight, clip) => weight * sums[clip]!),
  };
}

/** One line for the log, or null where no label is weighed. */
export function describeClassWeights(weights: ClassWeights): string | null {
  const parts = Object.entries(weights).flatMap(([label, values]) =>
    values ? [`${label} ${EMOTIONS.map((name, c) => `${name} ${values[c]!.toFixed(2)}`).join(' ')}`] : [],
  );
  return parts.length === 0 ? null : `class weights: ${parts.join('; ')}`;
}
