import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { asMerError, MerError } from '../../common/errors.js';
import { WorkerDied, WorkerProcess, type WorkerSpec } from '../../common/worker-process.js';
import { interrupted } from '../../preprocessing/media/media-limits.js';
import type { PoolEvent } from './events.js';

export interface PoolOptions<Info, Result> extends WorkerSpec {
  size: number;
  /** Tasks that a process is given at once. */
  concurrency(info: Info): number;
  infoSchema: z.ZodType<Info>;
  resultSchema: z.ZodType<Result>;
  /** Longest time in ms that one task may run before its process is taken for hung and killed. */
  taskTimeoutMs: number;
  /** Tasks that may wait; one more is refused as overloaded. */
  maxQueue: number;
  /** Told of what an operator should know: processes that died or were replaced, tasks tried again or dropped. */
  onEvent(event: PoolEvent): void;
}

export interface RunOptions {
  /** `Date.now()` after which the caller is answered `timeout`, whatever becomes of the task. */
  deadline: number;
  /** Aborted when the caller has gone: it is answered `interrupted`, and the task is not begun, or told to stop. */
  signal?: AbortSignal;
  /** A process begins with the task; comes again when the task is tried once more. */
  onStart?(): void;
  onProgress?(progress: unknown): void;
}

interface Task<Result> extends Pick<RunOptions, 'onStart' | 'onProgress'> {
  request: unknown;
  retried: boolean;
  /** Aborted when nobody waits for the task any more. */
  abandoned: AbortController;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** Wait before the first and the longest wait before a further attempt to replace a process. */
const RESTART_MS = { first: 100, longest: 10_000 };

/**
 * A fixed number of child processes of one kind behind one queue, first come first served. A process that dies or
 * hangs is replaced; what it worked on is tried once more, since another's fault may have killed the process. Then each
 * task has a process to itself, so that the one at fault ends nobody else's.
 */
export class WorkerPool<Info, Result> {
  readonly #options: PoolOptions<Info, Result>;
  readonly #queue: Task<Result>[] = [];
  /** The living processes, and what each works on. */
  readonly #workers = new Map<WorkerProcess, Set<Task<Result>>>();
  #info: Info;
  readonly #closing = new AbortController();

  private constructor(options: PoolOptions<Info, Result>, info: Info) {
    this.#options = options;
    this.#info = info;
  }

  /** Starts all processes. @throws MerError the first error of any of them; none is left running then */
  static async create<Info, Result>(options: PoolOptions<Info, Result>): Promise<WorkerPool<Info, Result>> {
    const starts = await Promise.allSettled(Array.from({ length: options.size }, () => WorkerProcess.start(options)));
    const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const failure = starts.find((start) => start.status === 'rejected');
    if (failure !== undefined) {
      await Promise.all(started.map(({ worker }) => worker.kill()));
      throw failure.reason;
    }
    const infos = started.map(({ info }) => options.infoSchema.parse(info));
    const pool = new WorkerPool<Info, Result>(options, infos[0]!);
    for (const { worker } of started) pool.#adopt(worker);
    return pool;
  }

  get #disposed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** What the newest process said of itself when it was ready. */
  get info(): Info {
    return this.#info;
  }

  /** Whether at least one process lives. */
  get ready(): boolean {
    return !this.#disposed && this.#workers.size > 0;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  /** Tasks that were given to a process and are not answered. */
  get running(): number {
    return [...this.#workers.values()].reduce((sum, tasks) => sum + tasks.size, 0);
  }

  get pids(): number[] {
    return [...this.#workers.keys()].flatMap((worker) => worker.pid ?? []);
  }

  /**
   * Queues one task.
   *
   * @throws MerError the task's own error; timeout; interrupted; overloaded; not_ready when disposed; internal when two
   *   processes died of it
   */
  run(request: unknown, { deadline, signal, onStart, onProgress }: RunOptions): Promise<Result> {
    if (this.#disposed) return Promise.reject(shuttingDown());
    if (signal?.aborted) return Promise.reject(this.#giveUp('dropped'));
    if (this.#queue.length >= this.#options.maxQueue) {
      return Promise.reject(
        new MerError('overloaded', `${this.#queue.length} clips wait already.`, 'Send the clip again in a while.'),
      );
    }
    return new Promise((resolve, reject) => {
      const abandon = (why: 'timeout' | 'dropped'): void => {
        const waiting = this.#queue.indexOf(task);
        if (waiting >= 0) this.#queue.splice(waiting, 1);
        task.abandoned.abort();
        task.reject(this.#giveUp(why));
        // The one behind it may be one that a busy process can take.
        this.#next();
      };
      const timer = setTimeout(() => abandon('timeout'), deadline - Date.now());
      const leave = (): void => abandon('dropped');
      signal?.addEventListener('abort', leave, { once: true });
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
      };
      const task: Task<Result> = {
        ...{ request, retried: false, abandoned: new AbortController() },
        ...(onStart && { onStart }),
        ...(onProgress && { onProgress }),
        resolve(result) {
          settle();
          resolve(result);
        },
        reject(error) {
          settle();
          reject(error);
        },
      };
      this.#queue.push(task);
      this.#next();
    });
  }

  /** Counts a task that is given up, and says what its caller is told. */
  #giveUp(type: 'timeout' | 'dropped'): MerError {
    const { name } = this.#options;
    if (type === 'dropped') {
      this.#event('dropped', `The client of a clip in ${name} has gone.`);
      return interrupted();
    }
    this.#event('timeout', `A clip in ${name} was not answered in time.`);
    return new MerError('timeout', 'The clip took longer than the server allows.', 'Send a shorter or smaller clip.');
  }

  #adopt(worker: WorkerProcess): void {
    this.#workers.set(worker, new Set());
    void worker.ended.then(() => {
      this.#workers.delete(worker);
      if (!this.#disposed) void this.#replace();
    });
    this.#next();
  }

  #next(): void {
    for (;;) {
      const task = this.#queue[0];
      const worker = task && this.#workerFor(task);
      if (worker === undefined) return;
      this.#queue.shift();
      void this.#execute(worker, task!);
    }
  }

  /** The least busy process that may take the task: an idle one where it, or what the process has, is tried again. */
  #workerFor(task: Task<Result>): WorkerProcess | undefined {
    const [least] = [...this.#workers].sort(([, a], [, b]) => a.size - b.size);
    if (least === undefined) return undefined;
    const [worker, tasks] = least;
    const most = task.retried || [...tasks].some(({ retried }) => retried) ? 1 : this.#options.concurrency(this.#info);
    return tasks.size < most ? worker : undefined;
  }

  async #execute(worker: WorkerProcess, task: Task<Result>): Promise<void> {
    const { name, taskTimeoutMs, resultSchema } = this.#options;
    let hung = false;
    const watchdog = setTimeout(() => {
      hung = true;
      this.#event('hung', `A task took more than ${taskTimeoutMs / 1000} s; the ${name} process is killed.`);
      void worker.kill();
    }, taskTimeoutMs);
    const tasks = this.#workers.get(worker);
    tasks?.add(task);
    task.onStart?.();
    try {
      const { onProgress } = task;
      const options = { signal: task.abandoned.signal, ...(onProgress && { onProgress }) };
      task.resolve(resultSchema.parse(await worker.execute(task.request, options)));
    } catch (error) {
      if (!(error instanceof WorkerDied)) task.reject(asMerError(error));
      else if (this.#disposed) task.reject(shuttingDown());
      else if (hung) {
        task.reject(new MerError('timeout', `The clip hung in ${name}.`, 'Send a shorter or smaller clip.'));
      } else this.#tryAgain(task, error);
    } finally {
      clearTimeout(watchdog);
      tasks?.delete(task);
      this.#next();
    }
  }

  /** A task whose process died goes before all that were not tried yet. */
  #tryAgain(task: Task<Result>, { message }: WorkerDied): void {
    if (task.abandoned.signal.aborted) return;
    if (task.retried) {
      task.reject(
        new MerError('internal', `${message} It was the second one that this clip ended.`, 'Send another clip.'),
      );
      return;
    }
    task.retried = true;
    const place = this.#queue.findIndex(({ retried }) => !retried);
    this.#queue.splice(place < 0 ? this.#queue.length : place, 0, task);
    this.#event('retried', `A clip is tried again. ${message}`);
  }

  async #replace(): Promise<void> {
    const { name, infoSchema } = this.#options;
    this.#event('died', `A ${name} process ended; another one is started.`);
    for (let wait = RESTART_MS.first; !this.#disposed; wait = Math.min(2 * wait, RESTART_MS.longest)) {
      try {
        await sleep(wait, undefined, { signal: this.#closing.signal });
        const { worker, info } = await WorkerProcess.start(this.#options);
        if (this.#disposed) {
          await worker.kill();
          return;
        }
        this.#info = infoSchema.parse(info);
        this.#adopt(worker);
        this.#event('restarted', `A new ${name} process is ready.`);
        return;
      } catch (error) {
        if (!this.#disposed) this.#event('restart_failed', asMerError(error).message);
      }
    }
  }

  #event(type: PoolEvent['type'], message: string): void {
    this.#options.onEvent({ type, process: this.#options.name, message });
  }

  /** Kills all processes; what waits or runs is answered `not_ready`. */
  async dispose(): Promise<void> {
    this.#closing.abort();
    for (const task of this.#queue.splice(0)) task.reject(shuttingDown());
    await Promise.all([...this.#workers.keys()].map((worker) => worker.kill()));
  }
}

function shuttingDown(): MerError {
  return new MerError('not_ready', 'The engine is shutting down.', 'Send the clip again when it is back.');
}
