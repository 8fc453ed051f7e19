import type { FileHandle } from 'node:fs/promises';
import { bad, type TableFormat } from './table-format.js';

/** Receives each word of a table: its bytes, and where its entry (word and vector) lies in the file. */
export type OnEntry = (bytes: Buffer, wordStart: number, wordEnd: number, offset: number, length: number) => void;

/** Bytes read at once. An entry is at most half of it long. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** Longest word; a table with longer ones is no table. */
const MAX_WORD_BYTES = 4096;

const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Reads a table from its first word to its end.
 *
 * @param onChunk is told of each piece of the file, in order, and the bytes read so far
 * @throws MerError bad_file naming the file and the line (text) or the word's number and byte (binary)
 */
export async function scanTable(
  handle: FileHandle,
  format: TableFormat,
  file: string,
  onEntry: OnEntry,
  onChunk: (chunk: Buffer, bytesRead: number) => void,
): Promise<void> {
  const scan = format.kind === 'text' ? scanText(format, file, onEntry) : scanBinary(format, file, onEntry);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let held = 0;
  let position = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, held, buffer.length - held, position);
    if (bytesRead > 0) onChunk(buffer.subarray(held, held + bytesRead), position + bytesRead);
    const filled = held + bytesRead;
    // What was held before this read began lies `held` bytes before it in the file.
    const from = Math.max(0, format.start - (position - held));
    const used = scan.take(buffer.subarray(0, filled), from, position - held, bytesRead === 0);
    if (bytesRead === 0) break;
    position += bytesRead;
    if (used === 0 && filled === buffer.length) throw bad(file, `${scan.place()} is too long`);
    buffer.copyWithin(0, used, filled);
    held = filled - used;
  }
  if (format.promised !== null && scan.words() < format.promised) {
    throw bad(file, `line 1 promises ${format.promised} words, and the file ends after ${scan.words()}`);
  }
}

interface Scan {
  /**
   * Takes the whole entries of `bytes` from index `from` on.
   * @param offset where `bytes` begin in the file
   * @param isEnd whether nothing comes after them
   * @returns how many bytes are done with
   */
  take(bytes: Buffer, from: number, offset: number, isEnd: boolean): number;
  words(): number;
  /** Where the scan stands, for messages. */
  place(): string;
}

function scanText({ dim, promised }: TableFormat, file: string, onEntry: OnEntry): Scan {
  let line = promised === null ? 1 : 2;
  let words = 0;
  return {
    words: () => words,
    place: () => `line ${line}`,
    take(bytes, from, offset, isEnd) {
      let start = from;
      while (start < bytes.length) {
        const newline = bytes.indexOf(NEWLINE, start);
        if (newline < 0 && !isEnd) break;
        const end = newline < 0 ? bytes.length : newline;
        const numbers = findNumbers(bytes, start, end, dim);
        if (typeof numbers === 'string') throw bad(file, `line ${line} ${numbers}`);
        if (numbers !== null) {
          onEntry(bytes, start, numbers.wordEnd, offset + start, end - start);
          words += 1;
        }
        line += 1;
        start = end + 1;
      }
      return Math.min(start, bytes.length);
    },
  };
}

/** Bytes that numbers are written with: digits, signs, point and exponent. */
const NUMERIC = new Uint8Array(256);
for (const character of '0123456789+-.eE') NUMERIC[character.charCodeAt(0)] = 1;
const isSeparator = (byte: number | undefined): boolean => byte === SPACE || byte === 0x09;

/**
 * Finds the last `dim` fields of a line; what stands before them is the word, which may hold spaces.
 *
 * @returns null for a blank line; what is wrong with the line, as a text that follows "line N"
 */
export function findNumbers(
  bytes: Buffer,
  start: number,
  end: number,
  dim: number,
): { wordEnd: number; numbersStart: number } | string | null {
  let at = end;
  while (at > start && (isSeparator(bytes[at - 1]) || bytes[at - 1] === 0x0d)) at -= 1;
  if (at === start) return null;
  let numbersStart = at;
  for (let found = 0; found < dim; found++) {
    const fieldEnd = at;
    while (at > start && NUMERIC[bytes[at - 1]!] === 1) at -= 1;
    numbersStart = at;
    if (at === fieldEnd || !isSeparator(bytes[at - 1])) {
      while (at > start && !isSeparator(bytes[at - 1])) at -= 1;
      return at === start
        ? `has ${found} numbers after its word instead of ${dim}`
        : `has a field that is no number (field ${dim - found} of the vector)`;
    }
    while (at > start && isSeparator(bytes[at - 1])) at -= 1;
    if (at === start) return `has no word before its ${found + 1} numbers`;
  }
  if (at - start > MAX_WORD_BYTES) return `has a word of ${at - start} bytes`;
  // A word may end in a number, but not in one with decimals: those are a vector that is longer than the others.
  let lastField = at;
  while (lastField > start && !isSeparator(bytes[lastField - 1])) lastField -= 1;
  if (lastField > start && /^[-+]?\d*\.\d+(e[-+]?\d+)?$/i.test(bytes.toString('latin1', lastField, at))) {
    return `has more than ${dim} numbers`;
  }
  return { wordEnd: at, numbersStart };
}

function scanBinary({ dim, promised }: TableFormat, file: string, onEntry: OnEntry): Scan {
  const vectorBytes = dim * 4;
  let words = 0;
  const place = () => `word ${words + 1}`;
  return {
    words: () => words,
    place,
    take(bytes, from, offset, isEnd) {
      let start = from;
      while (start < bytes.length) {
        // The original program ends each vector with a newline, others do not.
        if (bytes[start] === NEWLINE) {
          start += 1;
          continue;
        }
        const at = `${place()} (byte ${offset + start})`;
        if (words === promised) throw bad(file, `after its ${words} words it goes on at byte ${offset + start}`);
        const space = bytes.indexOf(SPACE, start);
        const wordBytes = (space < 0 ? bytes.length : space) - start;
        if (wordBytes > MAX_WORD_BYTES) throw bad(file, `${at} is longer than ${MAX_WORD_BYTES} bytes`);
        const end = space + 1 + vectorBytes;
        if (space < 0 || end > bytes.length) {
          if (isEnd) throw bad(file, `${at} is cut short`);
          break;
        }
        if (wordBytes === 0) throw bad(file, `${at} is empty`);
        onEntry(bytes, start, space, offset + start, end - start);
        words += 1;
        start = end;
      }
      return start;
    },
  };
}
