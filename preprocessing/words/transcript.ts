import fsp from 'node:fs/promises';
import { MerError } from '../../common/errors.js';
import type { Missing, TextFeatures, Vocabulary } from '../features.js';
import { transcriptWords } from './tokens.js';
import type { WordTable } from './word-table.js';

/** Above this share of unknown words the words of a clip count as missing, unless asked otherwise. */
export const MAX_OUT_OF_VOCABULARY = 0.5;

/** What is said in an hour stays below it. */
const MAX_FILE_BYTES = 2 ** 20;

/** Reads a transcript: a text file in UTF-8. @throws MerError not_found; bad_words naming the file */
export async function readTranscript(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const { size } = await fsp.stat(file);
    if (size > MAX_FILE_BYTES) throw unusable(file, `has ${size} bytes, more than ${MAX_FILE_BYTES}`);
    bytes = await fsp.readFile(file);
  } catch (error) {
    if (error instanceof MerError) throw error;
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  }
  try {
    // A byte order mark at the beginning is left out.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unusable(file, 'is not in UTF-8');
  }
}

function unusable(file: string, why: string): MerError {
  return new MerError('bad_words', `The transcript ${file} ${why}.`, 'Save it as plain text in UTF-8.');
}

/**
 * Looks the words of a transcript up in a table. Words that the table does not have are left out.
 *
 * @param maxOutOfVocabulary with a larger share of unknown words, in [0, 1], the words count as missing
 * @throws MerError bad_file when the table's vector of a word is damaged
 */
export async function transcriptVectors(
  transcript: string,
  table: WordTable,
  maxOutOfVocabulary = MAX_OUT_OF_VOCABULARY,
): Promise<{ features: TextFeatures | Missing; vocabulary: Vocabulary }> {
  const vectors: Float32Array[] = [];
  let unknown = 0;
  for (const { forms, isPunctuation } of transcriptWords(transcript)) {
    const vector = await findFirst(forms, table);
    if (vector !== null) vectors.push(vector);
    else if (!isPunctuation) unknown += 1;
  }
  const words = vectors.length + unknown;
  const outOfVocabulary = words === 0 ? null : unknown / words;
  const vocabulary = { table: table.sha256, outOfVocabulary };
  const missing = (reason: string) => ({ features: { status: 'missing' as const, reason }, vocabulary });
  // What readers put in place of bytes that are no UTF-8.
  if (transcript.includes('\ufffd')) return missing('the transcript is not in UTF-8');
  if (outOfVocabulary === null) return missing('the transcript has no words');
  if (vectors.length === 0 || outOfVocabulary > maxOutOfVocabulary) {
    const limit = `the limit is ${percent(maxOutOfVocabulary)}`;
    return missing(`${percent(outOfVocabulary)} of the ${words} words are not in the word-vector table (${limit})`);
  }
  const data = new Float32Array(vectors.length * table.dim);
  for (const [index, vector] of vectors.entries()) data.set(vector, index * table.dim);
  return { features: { status: 'used', data, words: vectors.length, dim: table.dim }, vocabulary };
}

async function findFirst(forms: readonly string[], table: WordTable): Promise<Float32Array | null> {
  for (const form of forms) {
    const vector = await table.find(form);
    if (vector !== null) return vector;
  }
  return null;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
