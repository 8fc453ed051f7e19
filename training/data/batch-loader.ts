import os from 'node:os';
import type { Worker } from 'node:worker_threads';
import { errorFromJSON, type MerError } from '../../common/errors.js';
import { startThread } from '../../common/worker-thread.js';
import type { InputSpec } from '../../preprocessing/model-inputs.js';
import type { TrainConfig } from '../config.js';
import { makeBatch, stepsPerEpoch, type TrainingBatch } from './batches.js';
import { type Dataset, type DatasetSource, MEMORY_FOR_CLIPS } from './dataset.js';

export interface LoaderData {
  source: DatasetSource;
  spec: InputSpec;
  config: TrainConfig;
  cacheBytes: number;
}

export interface LoaderTask {
  id: number;
  epoch: number;
  step: number;
}

export type LoaderAnswer = { id: number; batch: TrainingBatch } | { id: number; error: ReturnType<MerError['toJSON']> };

/**
 * Makes the training batches of a run in worker threads, ahead of the step and on into the next epoch. A batch depends
 * on seed, epoch and step alone, so their number changes no bit. End it with {@link dispose}.
 */
export class BatchLoader {
  readonly #dataset: Dataset;
  readonly #spec: InputSpec;
  readonly #config: TrainConfig;
  readonly #steps: number;
  readonly #threads: LoaderThread[];
  /** Batches that are being made or wait, by epoch and step. */
  readonly #ahead = new Map<string, Promise<TrainingBatch>>();
  #waited = 0;
  #since = performance.now();

  /** @param config `num_workers` threads are started, but no more than the machine has cores; 0 works in this one */
  constructor(dataset: Dataset, spec: InputSpec, config: TrainConfig) {
    this.#dataset = dataset;
    this.#spec = spec;
    this.#config = config;
    this.#steps = stepsPerEpoch(dataset.size, config.batch_size);
    const count = Math.min(config.num_workers, os.availableParallelism(), this.#steps * config.n_epoch);
    const data: LoaderData = {
      source: dataset.source,
      spec,
      config,
      cacheBytes: MEMORY_FOR_CLIPS / Math.max(1, count),
    };
    this.#threads = Array.from({ length: count }, () => new LoaderThread(data));
  }

  /** Says that fewer threads work than were asked for; null otherwise. */
  get note(): string | null {
    const { num_workers } = this.#config;
    const cores = os.availableParallelism();
    if (num_workers <= cores) return null;
    return `--num_workers ${num_workers}: ${this.#threads.length} are started, the machine has ${cores} cores`;
  }

  /** The batches of one epoch from step `first` on. */
  async *batches(epoch: number, first = 0): AsyncGenerator<TrainingBatch> {
    for (let step = first; step < this.#steps; step++) {
      this.#prefetch(epoch, step);
      const key = `${epoch}/${step}`;
      const start = performance.now();
      const batch = await this.#ahead.get(key)!;
      this.#waited += performance.now() - start;
      this.#ahead.delete(key);
      this.#prefetch(epoch, step + 1);
      yield batch;
    }
  }

  /** Share of the time since the last call in which the training waited for a batch. */
  takeWaitShare(): number {
    const now = performance.now();
    const share = this.#waited / Math.max(1, now - this.#since);
    this.#waited = 0;
    this.#since = now;
    return share;
  }

  /** Has batches made from this one on: one for each thread and one more. */
  #prefetch(epoch: number, step: number): void {
    for (let n = 0, position = { epoch, step }; n <= this.#threads.length; n++) {
      if (position.step >= this.#steps) position = { epoch: position.epoch + 1, step: 0 };
      if (position.epoch >= this.#config.n_epoch) return;
      const key = `${position.epoch}/${position.step}`;
      if (!this.#ahead.has(key)) {
        const made = this.#make(position.epoch, position.step);
        // A failure is thrown where the batch is taken; without this it would end the process before.
        made.catch(() => {});
        this.#ahead.set(key, made);
      }
      position = { epoch: position.epoch, step: position.step + 1 };
    }
  }

  #make(epoch: number, step: number): Promise<TrainingBatch> {
    const [first, ...others] = this.#threads;
    if (!first) return makeBatch(this.#dataset, this.#spec, this.#config, epoch, step);
    const idle = others.reduce((best, thread) => (thread.pending < best.pending ? thread : best), first);
    return idle.make(epoch, step);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

class LoaderThread {
  readonly #worker: Worker;
  readonly #tasks = new Map<number, { resolve(batch: TrainingBatch): void; reject(error: Error): void }>();
  #lastId = 0;

  constructor(data: LoaderData) {
    this.#worker = startThread(new URL('./loader-thread.js', import.meta.url), data);
    this.#worker.on('message', (answer: LoaderAnswer) => {
      const task = this.#tasks.get(answer.id);
      this.#tasks.delete(answer.id);
      if ('batch' in answer) task?.resolve(answer.batch);
      else task?.reject(errorFromJSON(answer.error));
    });
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => this.#fail(new Error(`A loader thread ended with exit code ${code}.`)));
    // Waiting batches do not keep the process alive.
    this.#worker.unref();
  }

  get pending(): number {
    return this.#tasks.size;
  }

  make(epoch: number, step: number): Promise<TrainingBatch> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#worker.ref();
      const settle =
        <T>(use: (value: T) => void) =>
        (value: T) => {
          if (this.#tasks.size === 0) this.#worker.unref();
          use(value);
        };
      this.#tasks.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#worker.postMessage({ id, epoch, step } satisfies LoaderTask);
    });
  }

  #fail(error: Error): void {
    for (const task of this.#tasks.values()) task.reject(error);
    this.#tasks.clear();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
