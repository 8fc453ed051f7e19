import crypto from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';

/**
 * The index of a word table: where each word's entry lies in the table's file, found by the word's hash. Little-endian:
 * 8 bytes MAGIC, uint32 length of the JSON header, the header, then 2^16 + 1 uint32 (the first slot of each bucket;
 * the bucket is a word's high hash), then a slot for each word, 16 bytes: uint32 low hash, uint32 bytes of the entry,
 * float64 offset of the entry. Slots of a bucket are in the table's order, so that the first of equal words counts.
 */
const MAGIC = 'MERWORD1';
const BUCKETS = 2 ** 16;
const DIRECTORY_BYTES = (BUCKETS + 1) * 4;
const SLOT_BYTES = 16;

const headerSchema = z.object({
  /** sha256 of the table. */
  sha256: z.string().length(64),
  kind: z.enum(['text', 'binary']),
  dim: z.number().int().positive(),
  words: z.number().int().positive(),
  /** {@link identifyTable} of the table that was indexed. */
  identity: z.string(),
});

export type IndexHeader = z.infer<typeof headerSchema>;

/** Bytes at both ends of a table that are compared whenever its index is used. */
const PROBE_BYTES = 64 * 1024;

/** Changes when the table does: size, time of its last change, and a hash of its beginning and end. */
export async function identifyTable(handle: FileHandle): Promise<string> {
  const { size, mtimeMs } = await handle.stat();
  const probe = Buffer.alloc(PROBE_BYTES);
  const hash = crypto.createHash('sha256');
  for (const position of [0, Math.max(0, size - PROBE_BYTES)]) {
    const { bytesRead } = await handle.read(probe, 0, PROBE_BYTES, position);
    hash.update(probe.subarray(0, bytesRead));
  }
  return `${size} ${mtimeMs} ${hash.digest('hex')}`;
}

/** Collects the words of a table and writes its index. */
export class IndexBuilder {
  #size = 0;
  #high = new Uint16Array(2 ** 16);
  #low = new Uint32Array(2 ** 16);
  #lengths = new Uint32Array(2 ** 16);
  #offsets = new Float64Array(2 ** 16);

  get words(): number {
    return this.#size;
  }

  /** @param word UTF-8 bytes of the word, from `start` to `end` */
  add(bytes: Buffer, start: number, end: number, offset: number, length: number): void {
    if (this.#size === this.#high.length) this.#grow();
    const [high, low] = hashWord(bytes, start, end);
    this.#high[this.#size] = high;
    this.#low[this.#size] = low;
    this.#lengths[this.#size] = length;
    this.#offsets[this.#size] = offset;
    this.#size += 1;
  }

  #grow(): void {
    const capacity = this.#high.length * 2;
    const grown = <T extends Uint16Array | Uint32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#high = grown(this.#high, new Uint16Array(capacity));
    this.#low = grown(this.#low, new Uint32Array(capacity));
    this.#lengths = grown(this.#lengths, new Uint32Array(capacity));
    this.#offsets = grown(this.#offsets, new Float64Array(capacity));
  }

  /** The whole index file, as its parts in order. */
  encode(header: IndexHeader): Buffer[] {
    const directory = new Uint32Array(BUCKETS + 1);
    for (let i = 0; i < this.#size; i++) directory[this.#high[i]! + 1]! += 1;
    for (let bucket = 0; bucket < BUCKETS; bucket++) directory[bucket + 1]! += directory[bucket]!;
    const next = directory.slice();
    const slots = Buffer.allocUnsafe(this.#size * SLOT_BYTES);
    for (let i = 0; i < this.#size; i++) {
      const at = next[this.#high[i]!]!++ * SLOT_BYTES;
      slots.writeUInt32LE(this.#low[i]!, at);
      slots.writeUInt32LE(this.#lengths[i]!, at + 4);
      slots.writeDoubleLE(this.#offsets[i]!, at + 8);
    }
    const json = Buffer.from(JSON.stringify(header));
    const start = Buffer.alloc(MAGIC.length + 4);
    start.write(MAGIC, 'latin1');
    start.writeUInt32LE(json.length, MAGIC.length);
    return [start, json, Buffer.from(directory.buffer), slots];
  }
}

/** An opened index. Only its directory is held in memory, a quarter of a megabyte. */
export class TableIndex {
  readonly header: IndexHeader;
  readonly #handle: FileHandle;
  readonly #directory: Uint32Array;
  readonly #slotsStart: number;

  private constructor(header: IndexHeader, handle: FileHandle, directory: Uint32Array, slotsStart: number) {
    this.header = header;
    this.#handle = handle;
    this.#directory = directory;
    this.#slotsStart = slotsStart;
  }

  /** @returns null when the file is no whole index. The handle is the index's from then on. */
  static async read(handle: FileHandle): Promise<TableIndex | null> {
    const start = await readExactly(handle, 0, MAGIC.length + 4);
    if (start?.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
    const jsonBytes = start.readUInt32LE(MAGIC.length);
    const { size } = await handle.stat();
    if (jsonBytes > size) return null;
    const json = await readExactly(handle, start.length, jsonBytes);
    const directoryStart = start.length + jsonBytes;
    const bytes = await readExactly(handle, directoryStart, DIRECTORY_BYTES);
    const header = json && parseHeader(json.toString());
    if (!header || !bytes) return null;
    const directory = new Uint32Array(new Uint8Array(bytes).buffer);
    const slotsStart = directoryStart + DIRECTORY_BYTES;
    const isWhole = directory[BUCKETS] === header.words && size === slotsStart + header.words * SLOT_BYTES;
    const isSorted = directory.every((slot, bucket) => bucket === 0 || slot >= directory[bucket - 1]!);
    return isWhole && isSorted ? new TableIndex(header, handle, directory, slotsStart) : null;
  }

  /** Entries that may be the word's, in the table's order; words of equal hash are told apart by reading them. */
  async candidates(word: string): Promise<{ offset: number; length: number }[]> {
    const bytes = Buffer.from(word);
    const [high, low] = hashWord(bytes, 0, bytes.length);
    const first = this.#directory[high]!;
    const count = this.#directory[high + 1]! - first;
    if (count === 0) return [];
    const slots = await readExactly(this.#handle, this.#slotsStart + first * SLOT_BYTES, count * SLOT_BYTES);
    if (slots === null) return [];
    const found: { offset: number; length: number }[] = [];
    for (let at = 0; at < slots.length; at += SLOT_BYTES) {
      if (slots.readUInt32LE(at) !== low) continue;
      found.push({ offset: slots.readDoubleLE(at + 8), length: slots.readUInt32LE(at + 4) });
    }
    return found;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function parseHeader(json: string): IndexHeader | null {
  try {
    return headerSchema.parse(JSON.parse(json));
  } catch {
    return null;
  }
}

/** @returns null when the file ends before */
export async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer | null> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return bytesRead === length ? buffer : null;
}

/** Two FNV-1a hashes of the bytes, their bits mixed as MurmurHash3 does in the end. */
function hashWord(bytes: Buffer, start: number, end: number): [high: number, low: number] {
  let first = 0x811c9dc5;
  let second = 0x050c5d1f;
  for (let i = start; i < end; i++) {
    first = Math.imul(first ^ bytes[i]!, 0x01000193);
    second = Math.imul(second ^ bytes[i]!, 0x01000193);
  }
  return [mix(first) >>> 16, mix(second)];
}

function mix(hash: number): number {
  let value = hash ^ (hash >>> 16);
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
