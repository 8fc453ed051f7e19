import { type ClassificationMetrics, classificationMetrics } from '../common/metrics.js';
import { Random } from '../common/random.js';

/** The probabilities of one output for one clip, and what is known of the clip. */
export interface ScoredLabel {
  probabilities: readonly number[];
  /** Class index 0..6. */
  label: number;
  /** Null where nobody knows who speaks. */
  speaker: string | null;
}

const INTERVAL_METRICS = ['accuracy', 'macroF1', 'weightedF1', 'nll', 'ece'] as const;
export type IntervalMetric = (typeof INTERVAL_METRICS)[number];
export type Intervals = Record<IntervalMetric, [low: number, high: number]>;

export const RESAMPLES = 1000;
const COVERED = 0.95;

/**
 * 95 % intervals of the metrics by the percentile bootstrap (Efron and Tibshirani 1993). Clips of one person resemble
 * each other: where all speakers are known, whole speakers are drawn (the cluster bootstrap of Field and Welsh 2007),
 * else single clips, which makes intervals too narrow when few people speak.
 *
 * @param clips at least one
 * @param seed the same seed gives the same intervals
 */
export function bootstrapIntervals(clips: readonly ScoredLabel[], seed: number, resamples = RESAMPLES): Intervals {
  const random = Random.for(seed, 'bootstrap');
  const clusters = clustersOf(clips);
  const samples = Array.from({ length: resamples }, () => {
    const drawn: ScoredLabel[] = [];
    for (let i = 0; i < clusters.length; i++) for (const clip of random.pick(clusters)) drawn.push(clip);
    return metricsOf(drawn);
  });
  return Object.fromEntries(
    INTERVAL_METRICS.map((metric) => [metric, interval(samples.map((sample) => sample[metric]))]),
  ) as Intervals;
}

/** Whether {@link bootstrapIntervals} draws whole speakers. */
export function drawsSpeakers(clips: readonly ScoredLabel[]): boolean {
  return clips.every(({ speaker }) => speaker !== null) && new Set(clips.map(({ speaker }) => speaker)).size > 1;
}

export function metricsOf(clips: readonly ScoredLabel[]): ClassificationMetrics {
  return classificationMetrics(
    clips.map(({ probabilities }) => probabilities),
    clips.map(({ label }) => label),
  );
}

function clustersOf(clips: readonly ScoredLabel[]): ScoredLabel[][] {
  if (!drawsSpeakers(clips)) return clips.map((clip) => [clip]);
  const clusters = new Map<string | null, ScoredLabel[]>();
  for (const clip of clips) {
    const cluster = clusters.get(clip.speaker);
    if (cluster === undefined) clusters.set(clip.speaker, [clip]);
    else cluster.push(clip);
  }
  return [...clusters.values()];
}

function interval(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at((1 - COVERED) / 2), at((1 + COVERED) / 2)];
}
