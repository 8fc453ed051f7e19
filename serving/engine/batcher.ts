import { interrupted } from '../../preprocessing/media/media-limits.js';

export interface BatcherOptions<Request, Result> {
  /** Most requests of one batch. */
  maxBatch: number;
  /** How long an idle batcher waits for more requests after the first one, in milliseconds. */
  maxDelayMs: number;
  /** Works on several requests at once; the results in their order. */
  run(requests: readonly Request[]): Promise<Result[]>;
}

interface Waiting<Request, Result> {
  request: Request;
  signal: AbortSignal;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Dynamic batching: requests that wait at the same time are worked on together. While a batch runs, the next one
 * gathers; it begins when it is full or when `maxDelayMs` have passed since the batcher was idle with something to do.
 * A request whose signal is aborted while it waits is left out.
 */
export class Batcher<Request, Result> {
  readonly #options: BatcherOptions<Request, Result>;
  readonly #waiting: Waiting<Request, Result>[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions<Request, Result>) {
    this.#options = options;
  }

  /** @throws what `run` throws for this request alone; MerError interrupted */
  add(request: Request, signal: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, signal, resolve, reject });
      this.#gather();
    });
  }

  #gather(): void {
    if (this.#running || this.#waiting.length === 0) return;
    if (this.#waiting.length >= this.#options.maxBatch) this.#begin();
    // Also without a delay: what has arrived at the same time is read first.
    else this.#timer ??= setTimeout(() => this.#begin(), this.#options.maxDelayMs);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#work();
  }

  async #work(): Promise<void> {
    const taken = this.#waiting.splice(0, this.#options.maxBatch);
    const batch = taken.filter(({ signal }) => !signal.aborted);
    for (const { signal, reject } of taken) if (signal.aborted) reject(interrupted());
    if (batch.length > 0) {
      this.#running = true;
      await this.#run(batch);
      this.#running = false;
    }
    this.#gather();
  }

  /** One request that cannot be worked on must not fail the others: then each is run alone. */
  async #run(batch: readonly Waiting<Request, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ request }) => request));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error);
      else for (const one of batch) await this.#run([one]);
    }
  }
}
