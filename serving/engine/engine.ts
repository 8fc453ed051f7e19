import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import type { Bundle } from '../../common/bundle.js';
import { readBundle } from '../../common/bundle-files.js';
import { MerError } from '../../common/errors.js';
import type { ClipFeatures } from '../../preprocessing/features.js';
import { evaluationInputs } from '../../preprocessing/model-inputs.js';
import { SEED_FRAMES } from '../../preprocessing/seed-inputs.js';
import { requireSameTable } from '../../preprocessing/words/same-table.js';
import { WordTable } from '../../preprocessing/words/word-table.js';
import type { Answer } from '../answer.js';
import { buildAnswer } from './build-answer.js';
import { type DeviceChoice, RUNTIME_ENVIRONMENT } from './devices.js';
import type { EngineEvent } from './events.js';
import type { EngineLoad, Place, PredictOptions } from './predict-options.js';
import {
  type ClipFiles,
  type InferenceConfig,
  type InferenceInfo,
  inferenceInfoSchema,
  type PreparedClip,
  type PreprocessingConfig,
  preparedClipSchema,
  type ScoredClip,
  scoredClipSchema,
} from './tasks.js';
import { WorkerPool } from './worker-pool.js';

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
  /** Face frames of a clip that a bundle of compat seed is shown. Default 16, as in evaluation. */
  seedFrames?: number;
  /** The word-vector table for transcripts, which must be the bundle's; without it transcripts are refused. */
  wordTable?: { file: string; maxOutOfVocabulary: number };
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
  readonly #timeoutMs: number;
  readonly #takesTranscripts: boolean;
  readonly #capacity: number;
  #taken = 0;

  private constructor(
    bundle: Bundle,
    preprocessing: WorkerPool<null, PreparedClip> | undefined,
    inference: WorkerPool<InferenceInfo, ScoredClip>,
    timeoutMs: number,
    takesTranscripts: boolean,
    capacity: number,
  ) {
    this.bundle = bundle;
    this.#preprocessing = preprocessing;
    this.#inference = inference;
    this.#timeoutMs = timeoutMs;
    this.#takesTranscripts = takesTranscripts;
    this.#capacity = capacity;
  }

  /**
   * Starts the processes, checks the files of the bundle and runs every network once.
   *
   * @throws MerError not_found or bad_file for a bundle that is not whole; missing_part when the device was asked for
   *   and does not run; bad_argument for a word table that is not the bundle's
   */
  static async create(bundleDir: string, options: EngineOptions = {}): Promise<Engine> {
    const bundle = await readBundle(bundleDir);
    const { wordTable } = options;
    if (wordTable) await requireTableOf(bundle, wordTable.file);
    const cores = os.availableParallelism();
    const { device, timeoutSeconds, maxQueue } = { ...ENGINE_DEFAULTS, ...options };
    const workers = options.workers ?? defaultWorkers();
    const shared = { taskTimeoutMs: timeoutSeconds * 1000, maxQueue, onEvent: options.onEvent ?? (() => {}) };
    const inferenceConfig: InferenceConfig = { bundleDir, device, threads: options.threads ?? cores };
    const inference = WorkerPool.create({
      ...shared,
      name: 'inference',
      module: new URL('./inference-child.js', import.meta.url),
      config: inferenceConfig,
      env: RUNTIME_ENVIRONMENT,
      size: 1,
      infoSchema: inferenceInfoSchema,
      resultSchema: scoredClipSchema,
    });
    const preprocessingConfig: PreprocessingConfig = {
      detectorDir: bundleDir,
      compat: bundle.compat,
      maxFrames: bundle.preprocessing.maxFrames,
      subject: bundle.preprocessing.subject,
      inputs: { ...bundle.preprocessing, compat: bundle.compat },
      seedFrames: options.seedFrames ?? SEED_FRAMES.evaluation,
      threads: Math.max(1, Math.floor(cores / Math.max(1, workers))),
      ...(wordTable && { wordTable }),
    };
    const preprocessing =
      workers === 0
        ? undefined
        : WorkerPool.create({
            ...shared,
            name: 'preprocessing',
            module: new URL('./preprocessing-child.js', import.meta.url),
            config: preprocessingConfig,
            size: workers,
            infoSchema: z.null(),
            resultSchema: preparedClipSchema,
          });
    const starts = await Promise.allSettled([inference, preprocessing] as const);
    const failure = starts.find((start) => start.status === 'rejected');
    if (failure !== undefined) {
      for (const start of starts) if (start.status === 'fulfilled') await start.value?.dispose();
      throw failure.reason;
    }
    return new Engine(
      bundle,
      await preprocessing,
      await inference,
      timeoutSeconds * 1000,
      wordTable !== undefined,
      workers + maxQueue,
    );
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
    return { running, waiting: Math.max(0, this.#taken - running), capacity: this.#capacity };
  }

  /**
   * Takes a place for a clip that is on its way, such as an upload. It counts until it is released.
   *
   * @throws MerError overloaded when all are taken
   */
  admit(): Place {
    if (this.#taken >= this.#capacity) {
      throw new MerError('overloaded', `${this.#taken} clips are in work or wait.`, 'Send the clip again in a while.');
    }
    this.#taken += 1;
    let held = true;
    return {
      release: () => {
        if (held) this.#taken -= 1;
        held = false;
      },
    };
  }

  /** Process ids of the children, by stage. */
  get pids(): { preprocessing: number[]; inference: number[] } {
    return { preprocessing: this.#preprocessing?.pids ?? [], inference: this.#inference.pids };
  }

  /**
   * Answers one clip.
   *
   * @throws MerError those of `preprocessClip` when the media or the words are refused; bad_words for a transcript
   *   without a word table; nothing_to_score; timeout; overloaded; not_ready
   */
  async predict(files: ClipFiles, options: PredictOptions = {}): Promise<Answer> {
    if (options.place !== undefined) return this.#predict(files);
    const place = this.admit();
    try {
      return await this.#predict(files);
    } finally {
      place.release();
    }
  }

  async #predict(files: ClipFiles): Promise<Answer> {
    if (this.#preprocessing === undefined) throw new Error('This engine was created with workers: 0.');
    if (files.transcript !== undefined && !this.#takesTranscripts) {
      throw new MerError(
        'bad_words',
        'A transcript was given, and no word-vector table is open to look its words up in.',
        'Start with --word_vectors FILE, or give the vectors of the words instead.',
      );
    }
    const start = performance.now();
    const deadline = Date.now() + this.#timeoutMs;
    const prepared = await this.#preprocessing.run(files, deadline);
    const scored = await this.#inference.run(prepared.inputs, deadline);
    const seconds = (performance.now() - start) / 1000;
    return buildAnswer(this.bundle, this.info, prepared, scored, seconds);
  }

  /**
   * Scores features that are ready: the logits of each modality and of each subset of them.
   *
   * @throws MerError bad_words; nothing_to_score; timeout; overloaded; not_ready
   */
  async predictFeatures(features: ClipFeatures): Promise<ScoredClip['scores']> {
    const { compat, preprocessing } = this.bundle;
    const inputs = evaluationInputs(features, { ...preprocessing, compat });
    return (await this.#inference.run(inputs, Date.now() + this.#timeoutMs)).scores;
  }

  /** Kills all processes; clips that are being worked on are answered `not_ready`. */
  async dispose(): Promise<void> {
    await Promise.all([this.#preprocessing?.dispose(), this.#inference.dispose()]);
  }
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
