/** A run of bytes of one track, as the muxer wrote it. */
export interface Block {
  track: number;
  /** Seconds from the start of the stream. */
  time: number;
  data: Uint8Array;
}

export interface Track {
  number: number;
  kind: 'video' | 'audio' | 'other';
  /** Pixels; 0 for audio. */
  width: number;
  height: number;
}

const ID = {
  segment: 0x18538067,
  cluster: 0x1f43b675,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  video: 0xe0,
  blockGroup: 0xa0,
  trackNumber: 0xd7,
  trackType: 0x83,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  block: 0xa1,
};

/** Elements whose children are read; their ends need no attention, for the children just follow one another. */
const ENTERED = new Set([ID.segment, ID.cluster, ID.tracks, ID.video, ID.blockGroup]);

/** Matroska's default, which ffmpeg keeps: block times count milliseconds. */
const TICKS_PER_SECOND = 1000;

/**
 * Reads the Matroska stream that our own ffmpeg process writes to its standard output: one pipe then carries the raw
 * frames and the sound together, each with its time. Only what ffmpeg's live muxer writes is understood.
 *
 * @param stream chunks of the Matroska stream
 * @param maxBlockBytes a block that claims more ends the reading with an error
 * @param onTrack is told of each track before its blocks come
 * @param allocate makes the bytes that a block is read into, or lends them anew when the block before is done with
 */
export async function* readMatroska(
  stream: AsyncIterable<Uint8Array>,
  maxBlockBytes: number,
  onTrack: (track: Track) => void,
  allocate: (size: number) => Uint8Array = allocateBlock,
): AsyncGenerator<Block> {
  const reader = new ByteReader(stream);
  let track: Track | null = null;
  let clusterTime = 0;
  const announce = () => {
    if (track) onTrack(track);
    track = null;
  };
  for (let id = await reader.elementId(); id !== null; id = await reader.elementId()) {
    const size = await reader.elementSize();
    if (id === ID.trackEntry) {
      announce();
      track = { number: 0, kind: 'other', width: 0, height: 0 };
    } else if (ENTERED.has(id)) {
      if (id === ID.cluster) announce();
    } else if (id === ID.timestamp) {
      clusterTime = await reader.integer(size);
    } else if (id === ID.simpleBlock || id === ID.block) {
      if (size > maxBlockBytes) throw new Error(`a block of ${size} bytes`);
      const bytes = await reader.take(allocate(size));
      const head = bytes[0]! >= 0x80 ? 1 : 2;
      const number = head === 1 ? bytes[0]! & 0x7f : ((bytes[0]! & 0x3f) << 8) | bytes[1]!;
      const offset = new DataView(bytes.buffer, bytes.byteOffset).getInt16(head);
      yield { track: number, time: (clusterTime + offset) / TICKS_PER_SECOND, data: bytes.subarray(head + 3) };
    } else if (track && id === ID.trackNumber) track.number = await reader.integer(size);
    else if (track && id === ID.trackType) track.kind = trackKind(await reader.integer(size));
    else if (track && id === ID.pixelWidth) track.width = await reader.integer(size);
    else if (track && id === ID.pixelHeight) track.height = await reader.integer(size);
    else await reader.skip(size);
  }
}

function trackKind(type: number): Track['kind'] {
  if (type === 1) return 'video';
  return type === 2 ? 'audio' : 'other';
}

/** Not zeroed: frames are large, and every byte that is returned gets written. */
export function allocateBlock(size: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
}

/** Pulls counted bytes out of a stream of chunks. A stream that ends within an element ends the reading. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next element's identifier, null at the end of the stream. */
  async elementId(): Promise<number | null> {
    if (!(await this.#fill())) return null;
    let id = this.#chunk[this.#position++]!;
    for (let more = Math.clz32(id) - 24; more > 0; more--) id = id * 256 + (await this.#byte());
    return id;
  }

  /** The next element's size in bytes; an unknown size (of a live cluster) comes out as an enormous one. */
  async elementSize(): Promise<number> {
    const first = await this.#byte();
    const more = Math.clz32(first) - 24;
    let size = first & (0x7f >> more);
    for (let i = 0; i < more; i++) size = size * 256 + (await this.#byte());
    return size;
  }

  async integer(size: number): Promise<number> {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (await this.#byte());
    return value;
  }

  /** Fills `result` with the next bytes; returns less of it only when the stream ends. */
  async take(result: Uint8Array): Promise<Uint8Array> {
    const size = result.length;
    let filled = 0;
    while (filled < size && (await this.#fill())) {
      const part = this.#chunk.subarray(this.#position, this.#position + size - filled);
      result.set(part, filled);
      filled += part.length;
      this.#position += part.length;
    }
    return filled === size ? result : result.subarray(0, filled);
  }

  async skip(size: number): Promise<void> {
    for (let left = size; left > 0 && (await this.#fill()); ) {
      const step = Math.min(left, this.#chunk.length - this.#position);
      this.#position += step;
      left -= step;
    }
  }

  async #byte(): Promise<number> {
    return (await this.#fill()) ? this.#chunk[this.#position++]! : 0;
  }

  /** Makes sure that a byte is at hand; false at the end of the stream. */
  async #fill(): Promise<boolean> {
    while (this.#position >= this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#chunk = next.value;
      this.#position = 0;
    }
    return true;
  }
}
