import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { asMerError, MerError } from '../../common/errors.js';
import { WorkerDied, WorkerProcess, type WorkerSpec } from '../../common/worker-process.js';
import type { PoolEvent } from './events.js';

export interface PoolOptions<Info, Result> extends WorkerSpec {
  size: number;
  infoSchema: z.ZodType<Info>;
  resultSchema: z.ZodType<Result>;
  /** Longest time in ms that one task may run before its process is taken for hung and killed. */
  taskTimeoutMs: number;
  /** Tasks that may wait; one more is refused as overloaded. */
  maxQueue: number;
  /** Told of what an operator should know: processes that died, were killed or could not be started again. */
  onEvent(event: PoolEvent): void;
}

interface Task<Result> {
  request: unknown;
  retried: boolean;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** Wait before the first and the longest wait before a further attempt to replace a process. */
const RESTART_MS = { first: 100, longest: 10_000 };

/**
 * A fixed number of child processes of one kind behind one queue, first come first served. A process that dies or
 * hangs is replaced; the task of a dead one is tried once more, since another's fault may have killed the process.
 */
export class WorkerPool<Info, Result> {
  readonly #options: PoolOptions<Info, Result>;
  readonly #queue: Task<Result>[] = [];
  readonly #idle: WorkerProcess[] = [];
  readonly #alive = new Set<WorkerProcess>();
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
    return !this.#disposed && this.#alive.size > 0;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  /** Tasks that a process works on. */
  get running(): number {
    return this.#alive.size - this.#idle.length;
  }

  get pids(): number[] {
    return [...this.#alive].flatMap((worker) => worker.pid ?? []);
  }

  /**
   * Queues one task.
   *
   * @param deadline `Date.now()` after which the caller is answered `timeout`, whatever becomes of the task
   * @throws MerError the task's own error; timeout; overloaded; not_ready when disposed; internal when two processes
   *   died of it
   */
  run(request: unknown, deadline: number): Promise<Result> {
    if (this.#disposed) return Promise.reject(shuttingDown());
    if (this.#queue.length >= this.#options.maxQueue) {
      return Promise.reject(
        new MerError('overloaded', `${this.#queue.length} clips wait already.`, 'Send the clip again in a while.'),
      );
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const waiting = this.#queue.indexOf(task);
        if (waiting >= 0) this.#queue.splice(waiting, 1);
        reject(
          new MerError('timeout', 'The clip took longer than the server allows.', 'Send a shorter or smaller clip.'),
        );
      }, deadline - Date.now());
      const task: Task<Result> = {
        request,
        retried: false,
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#queue.push(task);
      this.#next();
    });
  }

  #adopt(worker: WorkerProcess): void {
    this.#alive.add(worker);
    this.#idle.push(worker);
    void worker.ended.then(() => {
      this.#alive.delete(worker);
      const idle = this.#idle.indexOf(worker);
      if (idle >= 0) this.#idle.splice(idle, 1);
      if (!this.#disposed) void this.#replace();
    });
    this.#next();
  }

  #next(): void {
    while (this.#idle.length > 0) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      void this.#execute(this.#idle.shift()!, task);
    }
  }

  async #execute(worker: WorkerProcess, task: Task<Result>): Promise<void> {
    const { name, taskTimeoutMs, resultSchema } = this.#options;
    let hung = false;
    let died = false;
    const watchdog = setTimeout(() => {
      hung = true;
      this.#event('hung', `A task took more than ${taskTimeoutMs / 1000} s; the ${name} process is killed.`);
      void worker.kill();
    }, taskTimeoutMs);
    try {
      task.resolve(resultSchema.parse(await worker.execute(task.request)));
    } catch (error) {
      died = error instanceof WorkerDied;
      if (!(error instanceof WorkerDied)) task.reject(asMerError(error));
      else if (this.#disposed) task.reject(shuttingDown());
      else if (hung) {
        task.reject(new MerError('timeout', `The clip hung in ${name}.`, 'Send a shorter or smaller clip.'));
      } else if (task.retried) {
        task.reject(
          new MerError(
            'internal',
            `${error.message} It was the second one that this clip ended.`,
            'Send another clip.',
          ),
        );
      } else {
        task.retried = true;
        this.#queue.unshift(task);
      }
    } finally {
      clearTimeout(watchdog);
      if (!died) this.#idle.push(worker);
      this.#next();
    }
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
    await Promise.all([...this.#alive].map((worker) => worker.kill()));
  }
}

function shuttingDown(): MerError {
  return new MerError('not_ready', 'The engine is shutting down.', 'Send the clip again when it is back.');
}
