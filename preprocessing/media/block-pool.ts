import { allocateBlock } from './matroska-reader.js';

/**
 * The memory of one clip's pictures, kept for the next clip's: new memory of that size costs page faults, and garbage
 * collections once it is done with.
 */
export class BlockPool {
  #idle: Uint8Array[] = [];

  /** Bytes with any content. */
  take(size: number): Uint8Array {
    const index = this.#idle.findIndex(({ length }) => length === size);
    return index < 0 ? allocateBlock(size) : this.#idle.splice(index, 1)[0]!;
  }

  /** @param pictures whose memory was taken from here, and that nobody needs any more */
  keep(pictures: readonly { data: Uint8Array }[]): void {
    this.#idle = pictures.map(({ data }) => new Uint8Array(data.buffer));
  }
}
