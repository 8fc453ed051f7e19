import { readBundle } from '../common/bundle-files.js';
import { mapConcurrent } from '../common/concurrent.js';
import { MerError } from '../common/errors.js';
import { emotionIndex, type Modality } from '../common/labels.js';
import { type ClassificationMetrics, classificationMetrics } from '../common/metrics.js';
import { createProgress } from '../common/progress.js';
import { nonEmptySubsets, subsetName } from '../common/subsets.js';
import { listClips, loadClipFeatures } from '../preprocessing/corpus/feature-store.js';
import type { ClipRecord, Split } from '../preprocessing/features.js';
import type { DeviceChoice } from '../serving/engine/devices.js';
import { Engine } from '../serving/engine/engine.js';
import { requireMatch } from './feature-match.js';

export interface Evaluation {
  model: { name: string; version: string; device: string };
  split: Split;
  /** Labelled clips of the split. */
  clips: number;
  /** The served answer: each clip with all the modalities that it has. */
  fused: ClassificationMetrics;
  /** Each modality's own head, over the clips that have the modality. */
  modalities: Partial<Record<Modality, ClassificationMetrics>>;
  /** The fusion of each subset of modalities, over the clips that have all of them; by name, such as `speech+text`. */
  subsets: Record<string, ClassificationMetrics>;
}

/** Clips that are under way at once: the next one is read from disk while one is scored. */
const CLIPS_IN_WORK = 4;

/**
 * Scores the labelled clips of a split with a bundle, through the engine that serves it. Branches run once a clip;
 * only the fusion runs again for each subset of modalities.
 *
 * @param featuresDir what `mer preprocess` wrote
 * @throws MerError not_found when the split has no labelled clip; bad_argument when features and bundle were made in
 *   different modes, or their words are of different tables; those of the engine
 */
export async function evaluate(options: {
  featuresDir: string;
  split: Split;
  bundleDir: string;
  device: DeviceChoice;
  threads?: number;
}): Promise<Evaluation> {
  const { featuresDir, split, bundleDir, ...engineOptions } = options;
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
    const tally = new Tally();
    const progress = createProgress(`evaluate ${split}`, records.length);
    let done = 0;
    const scores = await mapConcurrent(records, CLIPS_IN_WORK, async (record) => {
      const clip = await engine.predictFeatures(await loadClipFeatures(featuresDir, split, record));
      progress.update(++done);
      return clip;
    });
    progress.stop();
    for (const [index, record] of records.entries()) {
      const label = labelOf(record);
      const { scores: answer, modalities, subsets } = scores[index]!;
      tally.add('fused', answer, label);
      for (const [modality, head] of Object.entries(modalities)) tally.add(`head ${modality}`, head, label);
      for (const [subset, fused] of Object.entries(subsets)) tally.add(`subset ${subset}`, fused, label);
    }
    const { name, version } = engine.bundle;
    const subsets = nonEmptySubsets(engine.info.modalities).map(subsetName);
    return {
      model: { name, version, device: engine.info.device },
      split,
      clips: records.length,
      fused: tally.metrics('fused')!,
      modalities: tally.collect(engine.info.modalities, 'head'),
      subsets: tally.collect(subsets, 'subset'),
    };
  } finally {
    await engine.dispose();
  }
}

function labelOf({ stem, labels }: ClipRecord): number {
  if (labels === null) throw new Error(`${stem} has no label.`);
  return emotionIndex(labels.inte);
}

/** Probabilities and labels of several outputs, by name. */
class Tally {
  readonly #outputs = new Map<string, { probabilities: number[][]; labels: number[] }>();

  add(output: string, probabilities: number[], label: number): void {
    const entry = this.#outputs.get(output) ?? { probabilities: [], labels: [] };
    entry.probabilities.push(probabilities);
    entry.labels.push(label);
    this.#outputs.set(output, entry);
  }

  metrics(output: string): ClassificationMetrics | undefined {
    const entry = this.#outputs.get(output);
    return entry && classificationMetrics(entry.probabilities, entry.labels);
  }

  /** The metrics of those of `${prefix} ${name}` that have any clip. */
  collect<Name extends string>(names: readonly Name[], prefix: string): Record<Name, ClassificationMetrics> {
    const found = names.flatMap((name) => {
      const metrics = this.metrics(`${prefix} ${name}`);
      return metrics === undefined ? [] : [[name, metrics] as const];
    });
    return Object.fromEntries(found) as Record<Name, ClassificationMetrics>;
  }
}
