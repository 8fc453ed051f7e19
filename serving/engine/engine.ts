import os from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Bundle } from '../../common/bundle.js';
import { readBundle } from '../../common/bundle-files.js';
import { MerError } from '../../common/errors.js';
import { MODALITIES, type Modality } from '../../common/labels.js';
import type { ClipFeatures } from '../../preprocessing/features.js';
import { DEFAULT_LIMITS, type MediaLimits } from '../../preprocessing/media/media-limits.js';
import { SEED_FRAMES } from '../../preprocessing/seed-inputs.js';
import { requireSameTable } from '../../preprocessing/words/same-table.js';
import { WordTable } from '../../preprocessing/words/word-table.js';
import type { Answer, TtaMode } from '../answer.js';
import { buildAnswer } from './build-answer.js';
import { type ClipScores, clipScores } from './clip-scores.js';
import type { AskedBatching, DeviceChoice } from './devices.js';
import type { EngineEvent } from './events.js';
import { Places } from './places.js';
import { startInference, startPreprocessing } from './pools.js';
import {
  type EngineLoad,
  type Place,
  type PredictOptions,
  requireTimeline,
  type ScoreOptions,
} from './predict-options.js';
import { type ClipRequest, clipRequest } from './request.js';
import {
  type ClipFiles,
  clipStageSchema,
  type InferenceInfo,
  type PreparedClip,
  type ScoredClip,
  scoredBatchSchema,
} from './tasks.js';
import { planClip } from './windows.js';
import type { WorkerPool } from './worker-pool.js';

export interface EngineOptions {
  /** Default `auto`. */
  device?: DeviceChoice;
  /** Threads of ONNX Runtime in the inference process; by default one a core. */
  threads?: number;
  /**
   * Preprocessing processes; by default one a core but one. With 0 the engine has none: it scores features and takes
   * no clips.
   */
  workers?: number;
  /** Longest time of one clip from arrival to answer, waiting included. Default 120. */
  timeoutSeconds?: number;
  /** Clips that may wait; one more is refused as overloaded. Default 64. */
  maxQueue?: number;
  /** How clips of several requests are scored together; by default as it suits the device (devices.ts). */
  batching?: AskedBatching;
  /** Face frames of a clip that a bundle of compat seed is shown. Default 16, as in evaluation. */
  seedFrames?: number;
  /** The word-vector table for transcripts, which must be the bundle's; without it transcripts are refused. */
  wordTable?: { file: string; maxOutOfVocabulary: number };
  /** What one clip may cost; by default that of `DEFAULT_LIMITS`. */
  mediaLimits?: MediaLimits;
  /** Told of processes that died or were replaced, of tasks that were tried again or dropped, and of batches. */
  onEvent?(event: EngineEvent): void;
}

export const ENGINE_DEFAULTS = { device: 'auto', timeoutSeconds: 120, maxQueue: 64 } as const;

/** Preprocessing processes on this machine unless said otherwise. */
export function defaultWorkers(): number {
  return Math.max(1, os.availableParallelism() - 1);
}

/**
 * From clip to answer: preprocessing processes and one inference process for the device, all children of this
 * process, whose event loop only passes messages on.
 */
export class Engine {
  readonly bundle: Bundle;
  readonly #preprocessing: WorkerPool<null, PreparedClip> | undefined;
  readonly #inference: WorkerPool<InferenceInfo, ScoredClip>;
  readonly #settings: Settings;
  readonly #places: Places;

  private constructor(
    bundle: Bundle,
    preprocessing: WorkerPool<null, PreparedClip> | undefined,
    inference: WorkerPool<InferenceInfo, ScoredClip>,
    settings: Settings,
  ) {
    this.bundle = bundle;
    this.#preprocessing = preprocessing;
    this.#inference = inference;
    this.#settings = settings;
    this.#places = new Places(settings.capacity);
  }

  /**
   * Starts the processes, checks the files of the bundle and runs every network in all its shapes.
   *
   * @throws MerError not_found or bad_file for a bundle that is not whole; missing_part when the device was asked for
   *   and does not run; bad_argument for a word table that is not the bundle's
   */
  static async create(bundleDir: string, options: EngineOptions = {}): Promise<Engine> {
    const bundle = await readBundle(bundleDir);
    const { wordTable, seedFrames = SEED_FRAMES.evaluation, onEvent = () => {} } = options;
    if (wordTable) await requireTableOf(bundle, wordTable.file);
    const cores = os.availableParallelism();
    const { device, timeoutSeconds, maxQueue } = { ...ENGINE_DEFAULTS, ...options };
    const workers = options.workers ?? defaultWorkers();
    const timeoutMs = timeoutSeconds * 1000;
    const shared = { taskTimeoutMs: timeoutMs, maxQueue, onEvent };
    const inference = startInference(shared, {
      bundleDir,
      device,
      threads: options.threads ?? cores,
      batching: options.batching ?? {},
    });
    const preprocessing =
      workers === 0
        ? undefined
        : startPreprocessing(shared, workers, {
            detectorDir: bundleDir,
            compat: bundle.compat,
            maxFrames: bundle.preprocessing.maxFrames,
            subject: bundle.preprocessing.subject,
            inputs: { ...bundle.preprocessing, compat: bundle.compat },
            modalities: modalitiesOf(bundle),
            seedFrames,
            threads: Math.max(1, Math.floor(cores / workers)),
            limits: options.mediaLimits ?? DEFAULT_LIMITS,
            ...(wordTable && { wordTable }),
          });
    const starts = await Promise.allSettled([inference, preprocessing] as const);
    const failure = starts.find((start) => start.status === 'rejected');
    if (failure !== undefined) {
      for (const start of starts) if (start.status === 'fulfilled') await start.value?.dispose();
      throw failure.reason;
    }
    const takesTranscripts = wordTable !== undefined;
    const settings = { timeoutMs, takesTranscripts, seedFrames, capacity: workers + maxQueue, onEvent };
    return new Engine(bundle, await preprocessing, await inference, settings);
  }

  /** Where the networks run, and why on the CPU where `auto` found no CUDA. */
  get info(): InferenceInfo {
    return this.#inference.info;
  }

  /** Whether a clip can be worked on now: at least one warm process of each kind lives. */
  get ready(): boolean {
    return this.#inference.ready && (this.#preprocessing?.ready ?? true);
  }

  /** Clips that wait for a process, by stage. */
  get queueLengths(): { preprocessing: number; inference: number } {
    return { preprocessing: this.#preprocessing?.queueLength ?? 0, inference: this.#inference.queueLength };
  }

  /** How full the engine is: whoever receives clips asks before it reads them. */
  get load(): EngineLoad {
    const running = (this.#preprocessing?.running ?? 0) + this.#inference.running;
    return { running, waiting: Math.max(0, this.#places.taken - running), capacity: this.#places.capacity };
  }

  /**
   * Takes a place for a clip that is on its way, such as an upload. It counts until it is released.
   *
   * @throws MerError overloaded when all are taken
   */
  admit(): Place {
    return this.#places.take();
  }

  /** Process ids of the children, by stage. */
  get pids(): { preprocessing: number[]; inference: number[] } {
    return { preprocessing: this.#preprocessing?.pids ?? [], inference: this.#inference.pids };
  }

  /**
   * Answers one clip.
   *
   * @throws MerError those of `preprocessClip` when the media or the words are refused; bad_words for a transcript
   *   without a word table; bad_field for a timeline that cannot be had; bad_argument for a `tta` that the bundle
   *   cannot do; nothing_to_score; timeout; interrupted; overloaded; not_ready
   */
  async predict(files: ClipFiles, options: PredictOptions = {}): Promise<Answer> {
    const place = options.place ?? this.admit();
    try {
      return await this.#predict(files, options);
    } finally {
      if (options.place === undefined) place.release();
    }
  }

  async #predict(files: ClipFiles, options: PredictOptions): Promise<Answer> {
    const { tta = 'none', timeline, signal, onStage = () => {} } = options;
    if (this.#preprocessing === undefined) throw new Error('This engine was created with workers: 0.');
    if (files.transcript !== undefined && !this.#settings.takesTranscripts) throw noWordTable();
    this.requireTta(tta);
    if (timeline) requireTimeline(timeline);
    const start = performance.now();
    const deadline = Date.now() + this.#settings.timeoutMs;
    onStage('queued');
    let begun = start;
    const prepared = await this.#preprocessing.run(
      { files, ...(timeline && { timeline }) },
      {
        deadline,
        ...(signal && { signal }),
        onStart() {
          begun = performance.now();
        },
        onProgress: (stage) => onStage(clipStageSchema.parse(stage)),
      },
    );
    onStage('inference');
    const ready = performance.now();
    const asked = clipRequest(prepared.plan, tta);
    const { scored, milliseconds } = await this.#score(asked, deadline, signal);
    const now = performance.now();
    return buildAnswer(clipScores(this.bundle, tta, prepared.plan, asked, scored), {
      bundle: this.bundle,
      device: this.info.device,
      ...{ tta, prepared },
      windows: asked.windows.map(({ window }) => window),
      timings: {
        queued: Math.max(0, begun - start + now - ready - milliseconds) / 1000,
        inference: milliseconds / 1000,
        total: (now - start) / 1000,
      },
    });
  }

  /**
   * Scores features that are ready: the probabilities of the answer, of each modality and of each subset of them.
   *
   * @throws MerError bad_words; bad_field; bad_argument; nothing_to_score; timeout; interrupted; overloaded; not_ready
   */
  async predictFeatures(features: ClipFeatures, options: ScoreOptions = {}): Promise<ClipScores> {
    const { tta = 'none', timeline, signal } = options;
    this.requireTta(tta);
    if (timeline) requireTimeline(timeline);
    const { compat, preprocessing } = this.bundle;
    const plan = planClip(features, {
      spec: { ...preprocessing, compat },
      modalities: modalitiesOf(this.bundle),
      seedFrames: this.#settings.seedFrames,
      ...(timeline && { timeline }),
    });
    const asked = clipRequest(plan, tta);
    const { scored } = await this.#score(asked, Date.now() + this.#settings.timeoutMs, signal);
    return clipScores(this.bundle, tta, plan, asked, scored);
  }

  #score({ request }: ClipRequest, deadline: number, signal: AbortSignal | undefined): Promise<ScoredClip> {
    if (request.combinations.length === 0) throw nothingToScore(this.info.modalities);
    const onProgress = (batch: unknown): void =>
      this.#settings.onEvent({ type: 'batch', ...scoredBatchSchema.parse(batch) });
    return this.#inference.run(request, { deadline, onProgress, ...(signal && { signal }) });
  }

  /** @throws MerError bad_argument for a mode of test-time augmentation that the bundle cannot do */
  requireTta(tta: TtaMode): void {
    const { takesGain, modalities } = this.info;
    if (tta === 'none' || takesGain || !modalities.includes('face')) return;
    throw new MerError(
      'bad_argument',
      `Test-time augmentation needs the input gain of face.onnx, which the bundle ${this.bundle.name} does not have.`,
      'Export the bundle again, or leave out tta.',
    );
  }

  /** Kills all processes; clips that are being worked on are answered `not_ready`. */
  async dispose(): Promise<void> {
    await Promise.all([this.#preprocessing?.dispose(), this.#inference.dispose()]);
  }
}

interface Settings {
  timeoutMs: number;
  takesTranscripts: boolean;
  seedFrames: number;
  capacity: number;
  onEvent(event: EngineEvent): void;
}

function modalitiesOf({ branches }: Bundle): Modality[] {
  return MODALITIES.filter((modality) => branches[modality] !== undefined);
}

function nothingToScore(modalities: readonly Modality[]): MerError {
  return new MerError(
    'nothing_to_score',
    `The clip has nothing that this model hears, sees or reads (${modalities.join(', ')}).`,
    'Send a clip with a visible face or audible speech, or word vectors beside it.',
  );
}

function noWordTable(): MerError {
  return new MerError(
    'bad_words',
    'A transcript was given, and no word-vector table is open to look its words up in.',
    'Start with --word_vectors FILE, or give the vectors of the words instead.',
  );
}

/** Opens the table, which makes its index where there is none yet, so that the processes find one. */
async function requireTableOf({ name, preprocessing }: Bundle, file: string): Promise<void> {
  const table = await WordTable.open(file);
  await table.dispose();
  requireSameTable(
    { of: file, table: table.sha256 },
    { of: `the bundle ${name}`, table: preprocessing.wordTable },
    'Give the table that the features of the training were made with, or leave it out and give word vectors.',
  );
}
