import type { Bundle, Compat } from '../common/bundle.js';
import { asMerError, MerError } from '../common/errors.js';
import { EMOTION_COUNT } from '../common/labels.js';
import type { ClipFeatures } from '../preprocessing/features.js';
import { SEED_FRAMES } from '../preprocessing/seed-inputs.js';
import type { DeviceChoice } from '../serving/engine/devices.js';
import { Engine } from '../serving/engine/engine.js';
import { arithmeticMean, geometricMean } from './combine.js';
import { requireNumbers } from './feature-match.js';

export interface EnsembleOptions {
  device: DeviceChoice;
  threads?: number;
  wordTable?: { file: string; maxOutOfVocabulary: number };
}

/** Twelve variants of a clip on a slow processor take their time. */
const TIMEOUT_SECONDS = 900;
/** Float32 probabilities sum to 1 within this. */
const SUM_TOLERANCE = 1e-4;

/**
 * One or several bundles of one mode that answer a clip together, with test-time augmentation of the face: in compat
 * seed as the reference does, the mean over its twelve variants and the models of softmax^0.1; in compat default the
 * geometric mean of calibrated probabilities over variants without vertical flips and over the models.
 *
 * Clips are scored one after the other: what a batch holds then never depends on time, and two runs are equal.
 */
export class Ensemble {
  readonly compat: Compat;
  readonly #engines: readonly Engine[];

  private constructor(engines: readonly Engine[]) {
    this.#engines = engines;
    this.compat = engines[0]!.bundle.compat;
  }

  /** @throws MerError those of the engine */
  static async create(
    bundleDirs: readonly string[],
    { device, threads, wordTable }: EnsembleOptions,
  ): Promise<Ensemble> {
    const settings = {
      ...{ device, workers: 0, timeoutSeconds: TIMEOUT_SECONDS, seedFrames: SEED_FRAMES.submission },
      ...(threads !== undefined && { threads }),
      ...(wordTable && { wordTable }),
    };
    const engines: Engine[] = [];
    try {
      for (const directory of bundleDirs) engines.push(await Engine.create(directory, settings));
      return new Ensemble(engines);
    } catch (error) {
      await Promise.all(engines.map((engine) => engine.dispose()));
      throw error;
    }
  }

  get bundles(): readonly Bundle[] {
    return this.#engines.map(({ bundle }) => bundle);
  }

  /**
   * The probability of each class. A model without any of the clip's modalities is left out for this clip.
   *
   * @param name of the clip, for messages
   * @throws MerError nothing_to_score when no model has one; bad_words; bad_file naming the clip for features that are
   *   no numbers or scores that are no probabilities; those of the engine
   */
  async score(features: ClipFeatures, name: string): Promise<number[]> {
    requireNumbers(features, name);
    const rows: number[][] = [];
    let nothing: MerError | undefined;
    for (const engine of this.#engines) {
      try {
        const { scores: row } = await engine.predictFeatures(features, { tta: this.compat });
        requireProbabilities(row, name, engine.bundle);
        rows.push(row);
      } catch (thrown) {
        const error = asMerError(thrown);
        if (error.code !== 'nothing_to_score') throw error;
        nothing = error;
      }
    }
    if (nothing !== undefined && rows.length === 0) throw nothing;
    return this.compat === 'seed' ? arithmeticMean(rows) : geometricMean(rows);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.dispose()));
  }
}

/** @throws MerError bad_argument, naming both, for bundles of different modes */
export function requireOneMode(bundles: readonly Bundle[]): void {
  const [first] = bundles;
  const other = bundles.find(({ compat }) => compat !== first?.compat);
  if (first === undefined || other === undefined) return;
  throw new MerError(
    'bad_argument',
    `The bundle ${first.name} is of compat ${first.compat}, the bundle ${other.name} of compat ${other.compat}.`,
    'Give bundles of one mode: their probabilities mean different things.',
  );
}

function requireProbabilities(row: readonly number[], name: string, bundle: Bundle): void {
  const sum = row.reduce((total, value) => total + value, 0);
  const sound = row.length === EMOTION_COUNT && row.every((value) => value >= 0) && Math.abs(sum - 1) < SUM_TOLERANCE;
  if (sound) return;
  throw new MerError(
    'bad_file',
    `The bundle ${bundle.name} answers ${name} with ${row.join(', ')}, which are no probabilities.`,
    'Look at the features of this clip; preprocess it again, or export the bundle again.',
  );
}
