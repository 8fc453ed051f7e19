import crypto from 'node:crypto';
import fsp, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { isRunning } from '../../common/child.js';
import { MerError } from '../../common/errors.js';
import { SETUP_DIR } from '../../common/paths.js';
import { createProgress } from '../../common/progress.js';
import { findNumbers, scanTable } from './table-entries.js';
import { bad, HEAD_BYTES, sniffTable } from './table-format.js';
import { IndexBuilder, identifyTable, readExactly, TableIndex } from './table-index.js';

/** Where the index of a table goes that lies in a folder that cannot be written to. */
const CACHE_DIR = path.join(SETUP_DIR, 'word-tables');

/** Smaller tables are indexed before one could read about it. */
const TELLING_BYTES = 50e6;

/**
 * An opened table of word vectors. Its vectors stay on the disk: a word costs two small reads, and memory holds
 * a quarter of a megabyte whatever the table's size.
 */
export class WordTable {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #index: TableIndex;

  private constructor(file: string, handle: FileHandle, index: TableIndex) {
    this.#file = file;
    this.#handle = handle;
    this.#index = index;
  }

  /**
   * Opens a table of word2vec (text or binary), fastText (.vec) or GloVe (.txt); its content decides which it is.
   *
   * Beside it lies `<file>.index`, which the first opening makes by reading the table once, with its progress on
   * stderr; later ones open at once, as long as the table's size, time of change, beginning and end stay as they were.
   * Where the folder cannot be written to, the index goes to `cacheDir`.
   *
   * @throws MerError not_found; bad_file naming the file and the line
   */
  static async open(file: string, cacheDir = CACHE_DIR): Promise<WordTable> {
    let handle: FileHandle;
    try {
      handle = await fsp.open(file);
    } catch (error) {
      throw new MerError('not_found', `${file} cannot be read.`, 'Check the path of the word vectors.', {
        cause: error,
      });
    }
    try {
      if (!(await handle.stat()).isFile()) throw bad(file, 'it is no file');
      const places = [`${file}.index`, path.join(cacheDir, `${shortHash(path.resolve(file))}.index`)];
      const index = (await findIndex(places, handle)) ?? (await makeIndex(places, handle, file));
      return new WordTable(file, handle, index);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Identifies the table in features, checkpoints and bundles. */
  get sha256(): string {
    return this.#index.header.sha256;
  }

  get dim(): number {
    return this.#index.header.dim;
  }

  get words(): number {
    return this.#index.header.words;
  }

  /**
   * The vector of a word, or null when the table does not have it. Words are compared in Unicode NFC; of equal
   * words the first in the table counts.
   *
   * @throws MerError bad_file naming the word when its vector holds something else than finite numbers
   */
  async find(word: string): Promise<Float32Array | null> {
    const wanted = word.normalize('NFC');
    for (const { offset, length } of await this.#index.candidates(wanted)) {
      const entry = await readExactly(this.#handle, offset, length);
      if (entry === null) throw bad(this.#file, `it ends before byte ${offset + length}: it has changed while in use`);
      const { text, vector } = this.#index.header.kind === 'text' ? this.#parseText(entry) : this.#parseBinary(entry);
      if (text !== wanted) continue;
      if (vector?.every(Number.isFinite)) return vector;
      throw bad(this.#file, `the vector of "${word}" (byte ${offset}) holds something else than finite numbers`);
    }
    return null;
  }

  #parseText(entry: Buffer): { text: string; vector: Float32Array | null } {
    const found = findNumbers(entry, 0, entry.length, this.dim);
    if (found === null || typeof found === 'string') return { text: '', vector: null };
    const numbers = entry
      .toString('latin1', found.numbersStart)
      .trimEnd()
      .split(/[ \t]+/);
    return {
      text: entry.toString('utf8', 0, found.wordEnd).normalize('NFC'),
      vector: Float32Array.from(numbers, Number),
    };
  }

  #parseBinary(entry: Buffer): { text: string; vector: Float32Array } {
    const wordBytes = entry.length - this.dim * 4 - 1;
    const vector = new Float32Array(this.dim);
    for (let i = 0; i < this.dim; i++) vector[i] = entry.readFloatLE(wordBytes + 1 + i * 4);
    return { text: entry.toString('utf8', 0, wordBytes).normalize('NFC'), vector };
  }

  async dispose(): Promise<void> {
    await this.#index.close();
    await this.#handle.close();
  }
}

/** The first index in these places that is whole and of this table. */
async function findIndex(places: readonly string[], table: FileHandle): Promise<TableIndex | null> {
  const identity = await identifyTable(table);
  for (const place of places) {
    const handle = await fsp.open(place).catch(() => null);
    if (handle === null) continue;
    // A folder of that name, or a disk that fails: the index is then made in the next place.
    const index = await TableIndex.read(handle).catch(() => null);
    if (index?.header.identity === identity) return index;
    await handle.close();
  }
  return null;
}

async function makeIndex(places: readonly string[], table: FileHandle, file: string): Promise<TableIndex> {
  const { size } = await table.stat();
  const identity = await identifyTable(table);
  const head = (await readExactly(table, 0, Math.min(size, HEAD_BYTES))) ?? Buffer.alloc(0);
  const format = sniffTable(head, size <= HEAD_BYTES, file);
  const builder = new IndexBuilder();
  const hash = crypto.createHash('sha256');
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const progress =
    size < TELLING_BYTES ? null : createProgress(`indexing ${path.basename(file)} (MB)`, megabytes(size));
  try {
    await scanTable(
      table,
      format,
      file,
      (bytes, wordStart, wordEnd, offset, length) => {
        const [word, start, end] = composed(bytes, wordStart, wordEnd);
        builder.add(word, start, end, offset, length);
      },
      (chunk, bytesRead) => {
        hash.update(chunk);
        progress?.update(megabytes(bytesRead), `${builder.words} words`);
      },
    );
  } finally {
    progress?.stop();
  }
  if (builder.words === 0) throw bad(file, 'it has no words');
  if ((await identifyTable(table)) !== identity) throw bad(file, 'it has changed while it was read');
  const { kind, dim } = format;
  const parts = builder.encode({ sha256: hash.digest('hex'), kind, dim, words: builder.words, identity });
  return writeIndex(places, parts);
}

/** The word in NFC: nearly always the bytes as they are. */
function composed(bytes: Buffer, start: number, end: number): [bytes: Buffer, start: number, end: number] {
  let isAscii = true;
  for (let i = start; i < end && isAscii; i++) isAscii = bytes[i]! < 0x80;
  if (isAscii) return [bytes, start, end];
  const text = bytes.toString('utf8', start, end);
  const normal = text.normalize('NFC');
  if (normal === text) return [bytes, start, end];
  const copy = Buffer.from(normal);
  return [copy, 0, copy.length];
}

/** Writes the index to the first place that takes it, whole or not at all, and opens it. */
async function writeIndex(places: readonly string[], parts: readonly Buffer[]): Promise<TableIndex> {
  let refused: unknown;
  for (const place of places) {
    const temporary = `${place}.${process.pid}.${crypto.randomBytes(4).toString('hex')}.tmp`;
    try {
      await fsp.mkdir(path.dirname(place), { recursive: true });
      await removeStaleTemporaries(place);
      const handle = await fsp.open(temporary, 'w');
      try {
        for (const part of parts) await handle.writeFile(part);
      } finally {
        await handle.close();
      }
      await fsp.rename(temporary, place);
    } catch (error) {
      refused = error;
      await fsp.rm(temporary, { force: true }).catch(() => {});
      continue;
    }
    const index = await TableIndex.read(await fsp.open(place));
    if (index !== null) return index;
  }
  throw new MerError(
    'bad_file',
    `The index of the word vectors can be written neither to ${places.join(' nor to ')}.`,
    'Make one of the folders writable, and see that its disk is not full.',
    { cause: refused },
  );
}

/** What a killed process left of this index. */
async function removeStaleTemporaries(place: string): Promise<void> {
  const folder = path.dirname(place);
  for (const name of await fsp.readdir(folder)) {
    if (!name.startsWith(`${path.basename(place)}.`)) continue;
    const owner = /\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name)?.[1];
    if (owner !== undefined && !isRunning(Number(owner))) await fsp.rm(path.join(folder, name), { force: true });
  }
}

function shortHash(text: string): string {
  return crypto.createHash('sha256').update(text).digest('hex').slice(0, 16);
}
