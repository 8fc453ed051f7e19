import { Writable } from 'node:stream';

/** Bytes that may wait to be read before the sender is held back. */
const MAX_WAITING_BYTES = 2 ** 20;

/**
 * The receiving end of a pipe whose chunks are read one by one, as they came: a PassThrough would join what has
 * gathered into new memory, once for every byte of every frame.
 */
export class ChunkQueue extends Writable implements AsyncIterable<Uint8Array> {
  #batch: { chunks: Uint8Array[]; taken: () => void } | null = null;
  #over = false;
  #discarding = false;
  #wake: () => void = () => {};

  constructor() {
    super({ highWaterMark: MAX_WAITING_BYTES });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#offer([chunk], taken);
  }

  override _writev(items: { chunk: Buffer }[], taken: () => void): void {
    this.#offer(
      items.map(({ chunk }) => chunk),
      taken,
    );
  }

  #offer(chunks: Uint8Array[], taken: () => void): void {
    if (this.#discarding) {
      taken();
      return;
    }
    this.#batch = { chunks, taken };
    this.#wake();
  }

  /** Throws away what waits and what still comes, so that the sender can end; a pipe that nobody empties stays open. */
  discard(): void {
    this.#discarding = true;
    this.#batch?.taken();
    this.#batch = null;
  }

  override _final(done: () => void): void {
    this.#over = true;
    this.#wake();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#over = true;
    this.#wake();
    done(error);
  }

  /** For one reader. Ends when the sender has ended, or has gone. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const batch = this.#batch;
      if (batch) {
        this.#batch = null;
        yield* batch.chunks;
        batch.taken();
      } else if (this.#over) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
