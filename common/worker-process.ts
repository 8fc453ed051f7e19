import type { ChildProcess } from 'node:child_process';
import { forkModule } from './child.js';
import { fromChildSchema, type ToChild } from './child-protocol.js';
import { errorFromJSON, MerError } from './errors.js';

export interface WorkerSpec {
  /** What the process is called in messages, such as `preprocessing`. */
  name: string;
  /** The child's module, which calls `runChild`. */
  module: URL;
  /** Sent to the child as its set-up. */
  config: unknown;
  /** Added to the environment of the child. */
  env?: Record<string, string>;
  /** Flags of Node, such as HEAP_FOR_BUFFERS. */
  nodeFlags?: readonly string[];
}

/** Loading the largest networks from a cold disk and warming them up on a slow machine stays well under this. */
const START_TIMEOUT_MS = 180_000;

/** The process ended while it worked: the task itself may be innocent, and may be tried once more. */
export class WorkerDied extends Error {
  override readonly name = 'WorkerDied';
}

/** How to follow a task, and to say that nobody waits for it any more; it is answered all the same. */
export interface TaskOptions {
  signal?: AbortSignal;
  onProgress?(progress: unknown): void;
}

interface Task {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onProgress(progress: unknown): void;
}

/**
 * One child process, the leader of its own process group, which works on what it is given. A Ctrl-C in the terminal
 * reaches neither it nor what it started.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #tasks = new Map<number, Task>();
  #lastId = 0;
  #end: string | undefined;
  readonly #ended: Promise<void>;

  private constructor(spec: WorkerSpec) {
    this.#name = spec.name;
    this.#child = forkModule(spec.module, [], {
      detached: true,
      // The child's stdout would mix with the answers that a command prints.
      stdio: ['ignore', 2, 2, 'ipc'],
      env: { ...process.env, ...spec.env },
      ...(spec.nodeFlags && { nodeFlags: spec.nodeFlags }),
    });
    this.#ended = new Promise((resolve) => {
      const end = (why: string): void => {
        this.#end ??= why;
        for (const task of this.#tasks.values()) task.reject(new WorkerDied(this.#end));
        this.#tasks.clear();
        resolve();
      };
      this.#child.once('exit', (code, signal) => {
        this.#killGroup();
        end(`The ${this.#name} process ended (${signal ?? `exit code ${code}`}).`);
      });
      this.#child.once('error', (error) => end(`The ${this.#name} process cannot run: ${error.message}`));
    });
  }

  /**
   * Starts a process and waits until it is set up.
   *
   * @returns the process and what it said of itself
   * @throws MerError the child's own when its set-up failed; timeout; internal when it died
   */
  static async start(spec: WorkerSpec): Promise<{ worker: WorkerProcess; info: unknown }> {
    const worker = new WorkerProcess(spec);
    try {
      return { worker, info: await worker.#setUp(spec.config) };
    } catch (error) {
      await worker.kill();
      throw error;
    }
  }

  async #setUp(config: unknown): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const fail = (code: 'timeout' | 'internal', message: string) =>
          reject(new MerError(code, message, 'Look at the log lines before this one, then start again.'));
        timer = setTimeout(
          () => fail('timeout', `The ${this.#name} process was not ready within ${START_TIMEOUT_MS / 1000} s.`),
          START_TIMEOUT_MS,
        );
        this.#child.on('message', (raw) => {
          const message = fromChildSchema.parse(raw);
          if (message.type === 'ready') resolve(message.info);
          else if (message.type === 'failed') reject(errorFromJSON(message.error));
          else if (message.type === 'progress') this.#tasks.get(message.id)?.onProgress(message.progress);
          else this.#finish(message);
        });
        void this.#ended.then(() => fail('internal', this.#end ?? ''));
        this.#send({ type: 'start', config });
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #finish(message: { id: number } & ({ result?: unknown } | { error: Parameters<typeof errorFromJSON>[0] })): void {
    const task = this.#tasks.get(message.id);
    if (task === undefined) return;
    this.#tasks.delete(message.id);
    if ('error' in message) task.reject(errorFromJSON(message.error));
    else task.resolve('result' in message ? message.result : undefined);
  }

  /**
   * Gives the process a task, also while it works on others.
   *
   * @throws MerError the child's own error; WorkerDied when the process ended before it answered
   */
  async execute(request: unknown, { signal, onProgress = () => {} }: TaskOptions = {}): Promise<unknown> {
    if (this.#end !== undefined) throw new WorkerDied(this.#end);
    this.#lastId += 1;
    const id = this.#lastId;
    const cancel = (): void => this.#send({ type: 'cancel', id });
    const answer = new Promise((resolve, reject) => {
      this.#tasks.set(id, { resolve, reject, onProgress });
    });
    this.#send({ type: 'task', id, request });
    signal?.addEventListener('abort', cancel);
    try {
      return await answer;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Resolves when the process has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Kills the process with all that it started, at once. */
  async kill(): Promise<void> {
    this.#killGroup();
    await this.#ended;
  }

  #send(message: ToChild): void {
    // A failed write means that the process is gone; its `exit` event tells the one who waits.
    this.#child.send(message, () => {});
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // The whole group is gone already.
    }
  }
}
