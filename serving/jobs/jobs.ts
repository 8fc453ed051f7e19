import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { asMerError, MerError } from '../../common/errors.js';
import type { Answer } from '../answer.js';
import { Budget, type Share } from '../budget.js';
import { clipFiles, type DataFolder, mediaBytes, settleMedia } from '../data-folder.js';
import type { PredictOptions, Stage } from '../engine/predict-options.js';
import type { ClipFiles } from '../engine/tasks.js';
import type { Keep } from '../limits.js';
import type { PredictSettings } from '../settings.js';
import { isOver, type Job, type JobStatus, type StoredJob } from './job.js';
import { JobStore } from './job-store.js';

export interface JobsOptions {
  data: DataFolder;
  keep: Keep;
  /** Jobs that are kept, finished ones included. */
  maxJobs: number;
  retentionSeconds: number;
  /** Jobs that are worked on at the same time. */
  concurrency: number;
  /** The bytes on disk, of which the clips of jobs take their part. */
  disk: Budget;
  /** Answers a clip. */
  work(files: ClipFiles, options: PredictOptions): Promise<Answer>;
  log: Logger;
}

/** A clip that was received, in a folder of its own. */
export interface NewJob {
  id: string;
  folder: string;
  /** Names of the files in the folder. */
  clip: string;
  words?: string;
  transcript?: string;
  settings: PredictSettings;
  owner: string | undefined;
  /** What the files take of the disk. */
  disk: Share;
  /** What `reserve` gave for the job. */
  place: Share;
}

interface Entry {
  /** As on disk, without the answer, unless writing failed. */
  stored: StoredJob;
  stage: Stage;
  controller: AbortController;
  disk: Share;
  place: Share;
  /** The last write, which the next one waits for. */
  saved: Promise<boolean>;
}

/** A clip that ended so many servers is taken for the cause. */
const MAX_STARTS = 3;

/**
 * Clips that are answered later, first come first served. A job that was accepted is on disk: a server that starts
 * where another one was killed goes on with its jobs.
 */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #store: JobStore;
  readonly #places: Budget;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #queue: Entry[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #expiry: NodeJS.Timeout;
  #stopping = false;

  private constructor(options: JobsOptions) {
    this.#options = options;
    this.#store = new JobStore(options.data.jobs);
    this.#places = new Budget('it has as many jobs as it keeps', options.maxJobs);
    const period = Math.min(60, Math.max(1, options.retentionSeconds / 10));
    this.#expiry = setInterval(() => this.#expire(), period * 1000).unref();
  }

  /** Takes up the jobs of the data folder and starts to work. */
  static async open(options: JobsOptions): Promise<Jobs> {
    const jobs = new Jobs(options);
    for (const stored of await jobs.#store.all((message) => options.log.error(message))) await jobs.#takeUp(stored);
    jobs.#expire();
    jobs.#next();
    return jobs;
  }

  /** Jobs by status. */
  get counts(): Record<JobStatus, number> {
    const counts = { queued: 0, running: 0, done: 0, failed: 0, cancelled: 0 };
    for (const { stored } of this.#entries.values()) counts[stored.status] += 1;
    return counts;
  }

  /**
   * A place for one more job, which `add` takes over. Where all are taken the oldest finished job makes room.
   *
   * @throws MerError overloaded when none is finished
   */
  reserve(): Share {
    try {
      return this.#places.take();
    } catch (error) {
      const oldest = [...this.#entries.values()].find(({ stored }) => isOver(stored));
      if (oldest === undefined) throw error;
      this.#forget(oldest);
      return this.#places.take();
    }
  }

  /** Accepts a job: once the promise resolves it will be finished or reported, whatever happens to this process. */
  async add({ folder, place, disk, ...job }: NewJob): Promise<Job> {
    const stored: StoredJob = { ...job, status: 'queued', created: new Date().toISOString(), starts: 0 };
    await this.#store.add(stored, folder);
    const entry = createEntry(stored, disk, place);
    this.#entries.set(stored.id, entry);
    const accepted = this.#describe(entry);
    this.#queue.push(entry);
    this.#next();
    return accepted;
  }

  /** @throws MerError not_found when there is no such job, or it is another owner's */
  async get(id: string, owner: string | undefined): Promise<Job> {
    const entry = this.#find(id, owner);
    const { stored } = entry;
    // Only the disk holds answers.
    const whole = isOver(stored) && stored.answer === undefined ? await this.#store.read(id) : stored;
    return this.#describe(entry, whole);
  }

  /** Ends a job that is not over yet. @throws MerError not_found */
  async cancel(id: string, owner: string | undefined): Promise<Job> {
    const entry = this.#find(id, owner);
    if (isOver(entry.stored)) return this.get(id, owner);
    const waiting = this.#queue.indexOf(entry);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    await this.#finish(entry, { status: 'cancelled' });
    entry.controller.abort();
    if (waiting >= 0) await this.#settle(entry);
    return this.#describe(entry);
  }

  /** Calls `listener` at each change of the job until the returned function is called. */
  follow(id: string, listener: (job: Job) => void): () => void {
    this.#changes.on(id, listener);
    return () => this.#changes.off(id, listener);
  }

  /** Begins no more jobs; resolves when those in work are over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#expiry);
    await Promise.all(this.#running);
  }

  async #takeUp(stored: StoredJob): Promise<void> {
    const entry = createEntry(stored, this.#options.disk.hold(0), this.#places.hold(1));
    this.#entries.set(stored.id, entry);
    if (isOver(stored)) {
      // The server may have ended before it removed the files.
      await this.#settle(entry);
      delete stored.answer;
    } else if (stored.starts >= MAX_STARTS) {
      const message = `The server ended ${stored.starts} times while it worked on this clip.`;
      const error = new MerError('internal', message, 'Send another clip.');
      await this.#finish(entry, { status: 'failed', error: error.toJSON() });
      await this.#settle(entry);
    } else {
      stored.status = 'queued';
      entry.disk.resize(await mediaBytes(this.#store.files(stored)));
      this.#queue.push(entry);
    }
  }

  #next(): void {
    while (!this.#stopping && this.#running.size < this.#options.concurrency) {
      const entry = this.#queue.shift();
      if (entry === undefined) return;
      const running: Promise<void> = this.#run(entry).finally(() => {
        this.#running.delete(running);
        this.#next();
      });
      this.#running.add(running);
    }
  }

  async #run(entry: Entry): Promise<void> {
    const { stored, controller } = entry;
    stored.status = 'running';
    stored.starts += 1;
    await this.#save(entry);
    this.#changed(entry);
    const onStage = (stage: Stage): void => {
      entry.stage = stage;
      if (!isOver(stored)) this.#changed(entry);
    };
    try {
      controller.signal.throwIfAborted();
      const files = await clipFiles(this.#store.files(stored));
      const answer = await this.#options.work(files, { ...stored.settings, signal: controller.signal, onStage });
      if (!isOver(stored)) await this.#finish(entry, { status: 'done', answer });
    } catch (thrown) {
      const error = asMerError(thrown);
      if (this.#stopping && error.code === 'not_ready') {
        // The next server begins again; that this one was stopped is not the clip's fault.
        stored.status = 'queued';
        stored.starts -= 1;
        await this.#save(entry);
        return;
      }
      if (!isOver(stored)) await this.#finish(entry, { status: 'failed', error: error.toJSON() });
    }
    await this.#settle(entry);
  }

  async #finish(entry: Entry, end: Pick<StoredJob, 'status' | 'answer' | 'error'>): Promise<void> {
    const { stored } = entry;
    Object.assign(stored, end, { finished: new Date().toISOString() });
    if (await this.#save(entry)) delete stored.answer;
    this.#changed(entry, { ...stored, ...end });
  }

  /** @returns whether it is on disk; where it is not, this process still knows it */
  #save(entry: Entry): Promise<boolean> {
    entry.saved = entry.saved.then(async () => {
      try {
        await this.#store.update(entry.stored);
        return true;
      } catch (error) {
        this.#options.log.error({ err: error, job: entry.stored.id }, 'A job cannot be written to disk.');
        return false;
      }
    });
    return entry.saved;
  }

  /** Removes the files of a clip that nobody works on any more, or moves them where they stay. */
  async #settle({ stored, disk }: Entry): Promise<void> {
    const { data, keep, log } = this.#options;
    try {
      await settleMedia(data, keep, stored.id, this.#store.files(stored), stored.status === 'failed');
      disk.release();
    } catch (error) {
      log.error({ err: error, job: stored.id }, 'The clip of a job cannot be removed.');
    }
  }

  #find(id: string, owner: string | undefined): Entry {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.stored.owner === owner) return entry;
    throw new MerError(
      'not_found',
      `There is no job ${id}, or no longer.`,
      'Ask for a job by the id that POST /v1/jobs answered, before it expires.',
    );
  }

  #changed(entry: Entry, stored = entry.stored): void {
    this.#changes.emit(stored.id, this.#describe(entry, stored));
  }

  #describe({ stage, stored }: Entry, whole = stored): Job {
    const { id, status, created, finished, answer, error } = whole;
    return {
      id,
      status,
      ...(!isOver(whole) && { stage }),
      created,
      ...(finished !== undefined && { finished, expires: this.#expires(finished).toISOString() }),
      ...(answer !== undefined && { answer }),
      ...(error !== undefined && { error }),
    };
  }

  #expires(finished: string): Date {
    return new Date(Date.parse(finished) + this.#options.retentionSeconds * 1000);
  }

  #expire(): void {
    for (const entry of this.#entries.values()) {
      const { finished } = entry.stored;
      if (finished !== undefined && this.#expires(finished).getTime() <= Date.now()) this.#forget(entry);
    }
  }

  #forget({ stored, place }: Entry): void {
    this.#entries.delete(stored.id);
    place.release();
    void this.#store.remove(stored.id).catch((error: unknown) => this.#options.log.error(error));
  }
}

function createEntry(stored: StoredJob, disk: Share, place: Share): Entry {
  return { stored, stage: 'queued', controller: new AbortController(), disk, place, saved: Promise.resolve(true) };
}
