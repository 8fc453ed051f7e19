import fsp from 'node:fs/promises';
import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import { decodeNpzEntry } from '../../common/npz.js';
import type { TextFeatures } from '../features.js';

/** Key of the word vectors in `.npz` files, as the corpora name it. */
export const WORDS_KEY = 'word_embed';

/** A sentence of a hundred words of 300 numbers takes 240 kB as float64 and about 1 MB as JSON. */
const MAX_FILE_BYTES = 64 * 2 ** 20;

const vectorsSchema = z.array(z.array(z.number()));

/**
 * Reads the word vectors of a clip: an `.npz` archive with the key `word_embed` (T x D; float16, float32 or float64),
 * or JSON, an array of T arrays of D numbers. The content decides, not the name.
 *
 * @param wordDim when given, D must be this
 * @throws MerError bad_words when the file is neither, is empty, or holds a number that is not finite
 */
export async function loadWords(file: string, wordDim?: number): Promise<TextFeatures> {
  const bytes = await readWords(file);
  const { words, dim, data } = bytes[0] === 0x50 && bytes[1] === 0x4b ? fromNpz(bytes) : fromJson(bytes);
  if (words === 0 || dim === 0) throw bad('they are empty');
  if (wordDim !== undefined && dim !== wordDim) throw bad(`they have ${dim} dimensions instead of ${wordDim}`);
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw bad(`word ${Math.floor(wrong / dim)} has a component that is not a finite number`);
  return { status: 'used', data, words, dim };
}

async function readWords(file: string): Promise<Uint8Array> {
  try {
    const { size } = await fsp.stat(file);
    if (size > MAX_FILE_BYTES) throw bad(`the file has ${size} bytes, more than ${MAX_FILE_BYTES}`);
    return await fsp.readFile(file);
  } catch (error) {
    if (error instanceof MerError) throw error;
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  }
}

function fromNpz(bytes: Uint8Array) {
  let array: ReturnType<typeof decodeNpzEntry>;
  try {
    array = decodeNpzEntry(bytes, WORDS_KEY, 'the file');
  } catch (error) {
    throw bad(error instanceof MerError ? error.message.replace(/\.$/, '') : 'the archive cannot be read');
  }
  if (array.dtype !== 'float32') throw bad(`their dtype ${array.dtype} is no float16, float32 or float64`);
  if (array.shape.length !== 2) throw bad(`their shape is (${array.shape.join(', ')}) instead of (words, dimensions)`);
  return { words: array.shape[0]!, dim: array.shape[1]!, data: array.data };
}

function fromJson(bytes: Uint8Array) {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw bad('the file is neither an .npz archive nor JSON');
  }
  const vectors = vectorsSchema.safeParse(value);
  if (!vectors.success) throw bad('the JSON is no array of arrays of numbers');
  const dim = vectors.data[0]?.length ?? 0;
  const uneven = vectors.data.findIndex((vector) => vector.length !== dim);
  if (uneven >= 0) throw bad(`word ${uneven} has ${vectors.data[uneven]!.length} numbers and word 0 has ${dim}`);
  return { words: vectors.data.length, dim, data: Float32Array.from(vectors.data.flat()) };
}

function bad(why: string): MerError {
  return new MerError(
    'bad_words',
    `The word vectors cannot be used: ${why}.`,
    `Give an .npz with the key ${WORDS_KEY} (words x dimensions), or a JSON array of arrays of numbers.`,
  );
}
