import { EMOTIONS, type Emotion } from './labels.js';

/** How one class fared. Each value is 0 where it is not defined. */
export interface ClassScores {
  /** Clips with this label. */
  clips: number;
  precision: number;
  recall: number;
  f1: number;
}

/** @param confusion confusion[label][prediction], counts */
export function classScores(confusion: readonly (readonly number[])[]): Record<Emotion, ClassScores> {
  const scores = EMOTIONS.map((emotion, c) => {
    const hits = confusion[c]![c]!;
    const clips = confusion[c]!.reduce((sum, count) => sum + count, 0);
    const predicted = confusion.reduce((sum, row) => sum + row[c]!, 0);
    const ratio = (whole: number, part: number) => (whole === 0 ? 0 : part / whole);
    const entry: ClassScores = {
      clips,
      precision: ratio(predicted, hits),
      recall: ratio(clips, hits),
      f1: ratio(clips + predicted, 2 * hits),
    };
    return [emotion, entry] as const;
  });
  return Object.fromEntries(scores) as Record<Emotion, ClassScores>;
}

/** F1 of the classes, weighted by their clips. */
export function weightedF1(scores: Record<Emotion, ClassScores>): number {
  const classes = Object.values(scores);
  const clips = classes.reduce((sum, entry) => sum + entry.clips, 0);
  return classes.reduce((sum, { clips: count, f1 }) => sum + count * f1, 0) / Math.max(clips, 1);
}
