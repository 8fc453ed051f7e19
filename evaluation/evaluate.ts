import { readBundle } from '../common/bundle-files.js';
import { mapConcurrent } from '../common/concurrent.js';
import { MerError } from '../common/errors.js';
import { emotionIndex, type Modality } from '../common/labels.js';
import type { ClassificationMetrics } from '../common/metrics.js';
import { createProgress } from '../common/progress.js';
import { nonEmptySubsets, subsetName } from '../common/subsets.js';
import { listClips, loadClipFeatures } from '../preprocessing/corpus/feature-store.js';
import type { ClipRecord, Split } from '../preprocessing/features.js';
import type { ClipScores } from '../serving/engine/clip-scores.js';
import type { DeviceChoice } from '../serving/engine/devices.js';
import { Engine } from '../serving/engine/engine.js';
import { bootstrapIntervals, drawsSpeakers, type Intervals, metricsOf, type ScoredLabel } from './bootstrap.js';
import { requireMatch, requireNumbers } from './feature-match.js';
import { type Grouping, groupNames, groupOf } from './groups.js';

/** Metrics with their 95 % intervals. */
export interface MeasuredOutput extends ClassificationMetrics {
  intervals: Intervals;
}

export interface Evaluation {
  model: { name: string; version: string; device: string };
  split: Split;
  /** Labelled clips of the split. */
  clips: number;
  /** Whether the bundle's temperatures were applied. */
  calibrated: boolean;
  /** What the intervals were drawn from, and the seed. */
  bootstrap: { of: 'speakers' | 'clips'; count: number; seed: number };
  /** The served answer: each clip with all the modalities that it has. */
  fused: MeasuredOutput;
  /** Each modality's own head, over the clips that have the modality. */
  modalities: Partial<Record<Modality, MeasuredOutput>>;
  /** The fusion of each subset of modalities, over the clips that have all of them; by name, such as `speech+text`. */
  subsets: Record<string, MeasuredOutput>;
  /** The served answer over parts of the clips, where that was asked for. */
  groups?: { by: Grouping; of: { name: string; metrics: MeasuredOutput }[] };
}

export interface EvaluateOptions {
  /** What `mer preprocess` wrote. */
  featuresDir: string;
  split: Split;
  bundleDir: string;
  device: DeviceChoice;
  threads?: number;
  by?: Grouping;
  /** Of the intervals. */
  seed: number;
}

/** Clips that are under way at once: the next one is read from disk while one is scored. */
const CLIPS_IN_WORK = 4;

/**
 * Scores the labelled clips of a split with a bundle, through the engine that serves it. Branches run once a clip;
 * only the fusion runs again for each subset of modalities.
 *
 * @throws MerError not_found when the split has no labelled clip; bad_argument when features and bundle were made in
 *   different modes, or their words are of different tables; bad_file naming a clip whose features are no numbers;
 *   those of the engine
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { featuresDir, split, bundleDir, by, seed, ...engineOptions } = options;
  const records = (await listClips(featuresDir, split)).filter((record) => record.labels !== null);
  if (records.length === 0) {
    throw new MerError(
      'not_found',
      `${featuresDir} has no labelled clips in the split ${split}.`,
      'Run `mer preprocess` for it, or name another --split.',
    );
  }
  requireMatch(records, await readBundle(bundleDir));
  const engine = await Engine.create(bundleDir, { ...engineOptions, workers: 0 });
  try {
    const scores = await scoreAll(engine, records, featuresDir, split);
    const { name, version } = engine.bundle;
    const { modalities } = engine.info;
    const over = (read: (scores: ClipScores) => readonly number[] | undefined) => scoredLabels(records, scores, read);
    const fused = over(({ scores: integrated }) => integrated);
    const measureEach = <Name extends string>(names: readonly Name[], clipsOf: (name: Name) => ScoredLabel[]) =>
      Object.fromEntries(
        names.flatMap((output) => {
          const clips = clipsOf(output);
          return clips.length === 0 ? [] : [[output, measure(clips, seed)] as const];
        }),
      ) as Record<Name, MeasuredOutput>;
    return {
      model: { name, version, device: engine.info.device },
      split,
      clips: records.length,
      calibrated: scores.every(({ calibrated }) => calibrated),
      bootstrap: { ...drawn(fused), seed },
      fused: measure(fused, seed),
      modalities: measureEach(modalities, (modality) => over(({ modalities: heads }) => heads[modality])),
      subsets: measureEach(nonEmptySubsets(modalities).map(subsetName), (subset) =>
        over(({ subsets }) => subsets[subset]),
      ),
      ...(by && { groups: { by, of: measureGroups(records, fused, by, seed) } }),
    };
  } finally {
    await engine.dispose();
  }
}

async function scoreAll(
  engine: Engine,
  records: readonly ClipRecord[],
  featuresDir: string,
  split: Split,
): Promise<ClipScores[]> {
  const progress = createProgress(`evaluate ${split}`, records.length);
  let done = 0;
  try {
    return await mapConcurrent(records, CLIPS_IN_WORK, async (record) => {
      const features = await loadClipFeatures(featuresDir, split, record);
      requireNumbers(features, record.stem);
      const scores = await engine.predictFeatures(features);
      progress.update(++done);
      return scores;
    });
  } finally {
    progress.stop();
  }
}

/** Those of the clips that have the output. */
function scoredLabels(
  records: readonly ClipRecord[],
  scores: readonly ClipScores[],
  read: (scores: ClipScores) => readonly number[] | undefined,
): ScoredLabel[] {
  return records.flatMap(({ labels, speaker }, index) => {
    const probabilities = read(scores[index]!);
    return probabilities && labels ? [{ probabilities, label: emotionIndex(labels.inte), speaker }] : [];
  });
}

function measure(clips: readonly ScoredLabel[], seed: number): MeasuredOutput {
  return { ...metricsOf(clips), intervals: bootstrapIntervals(clips, seed) };
}

function measureGroups(
  records: readonly ClipRecord[],
  fused: readonly ScoredLabel[],
  by: Grouping,
  seed: number,
): { name: string; metrics: MeasuredOutput }[] {
  const names = records.map((record) => groupOf(record, by));
  return groupNames(by, names).map((name) => {
    const clips = fused.filter((_, index) => names[index] === name);
    return { name, metrics: measure(clips, seed) };
  });
}

function drawn(clips: readonly ScoredLabel[]): { of: 'speakers' | 'clips'; count: number } {
  if (!drawsSpeakers(clips)) return { of: 'clips', count: clips.length };
  return { of: 'speakers', count: new Set(clips.map(({ speaker }) => speaker)).size };
}
