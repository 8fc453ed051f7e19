import { MerError } from '../../common/errors.js';

/** How a table of word vectors is written. */
export interface TableFormat {
  /** `text`: a line for each word; `binary`: little-endian float32 after each word. */
  kind: 'text' | 'binary';
  dim: number;
  /** Words that the first line promises; null without such a line, as in GloVe's files. */
  promised: number | null;
  /** Bytes before the first word. */
  start: number;
}

/** So much of a table's beginning is enough to tell its format. */
export const HEAD_BYTES = 256 * 1024;

/** Dimensions and words that no table has: beyond them the first line is no header. */
const MAX_DIM = 10_000;
const MAX_WORDS = 2 ** 31;
/** A table without a first line has the dimension of most of its first lines; a word with spaces adds fields to its own. */
const SAMPLED_LINES = 16;

const REMEDY =
  'Give a table in the format of word2vec (text or binary), fastText (.vec) or GloVe (.txt), not compressed.';

/** Files that are taken for word tables by mistake, by their first bytes. */
const OTHERS: readonly { magic: readonly number[]; is: string; remedy: string }[] = [
  { magic: [0x1f, 0x8b], is: 'compressed with gzip', remedy: 'Unpack it first (gunzip).' },
  { magic: [0x50, 0x4b], is: 'a zip archive', remedy: 'Unpack it first (unzip).' },
  { magic: [0x42, 0x5a, 0x68], is: 'compressed with bzip2', remedy: 'Unpack it first (bunzip2).' },
  { magic: [0xfd, 0x37, 0x7a], is: 'compressed with xz', remedy: 'Unpack it first (unxz).' },
  {
    magic: [0x80],
    is: 'a pickle, such as gensim saves; it could run any program',
    remedy: 'Save its vectors with save_word2vec_format.',
  },
  {
    magic: [0xba, 0x16, 0x4f, 0x2f],
    is: 'a whole fastText model',
    remedy: 'Give its .vec file, which holds the vectors of the words.',
  },
];

/**
 * Tells the format of a table by its content.
 *
 * @param head the first bytes of the file, at most HEAD_BYTES
 * @param isWhole whether they are all of it
 * @throws MerError bad_file, naming the file and the line
 */
export function sniffTable(head: Buffer, isWhole: boolean, file: string): TableFormat {
  const other = OTHERS.find(({ magic }) => magic.every((byte, index) => head[index] === byte));
  if (other) throw new MerError('bad_file', `${file} is ${other.is}.`, other.remedy);
  const lines = firstLines(head, isWhole);
  const header = /^(\d+)[ \t]+(\d+)[ \t\r]*$/.exec(lines[0]?.text ?? '');
  if (header === null) return withoutHeader(head, lines, file);
  const promised = Number(header[1]);
  const dim = Number(header[2]);
  if (promised < 1 || promised > MAX_WORDS || dim < 1 || dim > MAX_DIM) {
    throw bad(file, `line 1 promises ${header[1]} words of ${header[2]} dimensions`);
  }
  const start = lines[0]!.end;
  return { kind: isText(head.subarray(start)) ? 'text' : 'binary', dim, promised, start };
}

function withoutHeader(head: Buffer, lines: readonly { text: string }[], file: string): TableFormat {
  const counts = lines
    .filter(({ text }) => text.trim() !== '')
    .slice(0, SAMPLED_LINES)
    .map(({ text }) => text.trimEnd().split(/[ \t]+/).length - 1);
  const dim = Math.min(...counts);
  if (counts.length === 0 || !isText(head) || dim < 1 || dim > MAX_DIM) {
    throw bad(file, 'line 1 is neither "<words> <dimensions>" nor a word followed by numbers');
  }
  return { kind: 'text', dim, promised: null, start: 0 };
}

/** The whole lines of the head, with the byte after each. */
function firstLines(head: Buffer, isWhole: boolean): { text: string; end: number }[] {
  const lines: { text: string; end: number }[] = [];
  let from = 0;
  while (from < head.length && lines.length <= SAMPLED_LINES) {
    const newline = head.indexOf(0x0a, from);
    if (newline < 0 && !isWhole) break;
    const end = newline < 0 ? head.length : newline + 1;
    lines.push({ text: head.toString('utf8', from, newline < 0 ? end : newline), end });
    from = end;
  }
  return lines;
}

/** Four kilobytes of packed float32 are no UTF-8 text without NUL; a sentence of text is. */
function isText(bytes: Buffer): boolean {
  const sample = bytes.subarray(0, 4096);
  if (sample.includes(0)) return false;
  try {
    // `stream`: a character may be cut at the sample's end.
    new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** A table that cannot be read. */
export function bad(file: string, why: string): MerError {
  return new MerError('bad_file', `${file}: ${why}.`, REMEDY);
}
