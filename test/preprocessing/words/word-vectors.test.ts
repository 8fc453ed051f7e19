import fsp from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { encodeNpz } from '../../../common/npz.js';
import { loadWords } from '../../../preprocessing/words/word-vectors.js';
import { inTemporaryFolder } from '../../helpers/temporary-folder.js';

async function loadBytes(bytes: Uint8Array | string, wordDim?: number) {
  return inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'words');
    await fsp.writeFile(file, bytes);
    return loadWords(file, wordDim);
  });
}

/** An archive as NumPy writes it, of any dtype. */
function npz(descr: string, data: ArrayBufferView, shape = '(2, 3)'): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117).concat('\n');
  const bytes = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.from([header.length, 0]),
    Buffer.from(header),
    Buffer.from(data.buffer),
  ]);
  return zipSync({ 'word_embed.npy': bytes });
}

const expected = { status: 'used', words: 2, dim: 3, data: Float32Array.of(1, 2, 3, 4, 5, 6) };

describe('word vectors', () => {
  it.each([
    ['float32', npz('<f4', Float32Array.of(1, 2, 3, 4, 5, 6))],
    ['float64', npz('<f8', Float64Array.of(1, 2, 3, 4, 5, 6))],
    ['float16', npz('<f2', Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600))],
  ])('are read from an .npz of %s', async (_, bytes) => {
    expect(await loadBytes(bytes, 3)).toEqual(expected);
  });

  it('are read from JSON', async () => {
    expect(await loadBytes('[[1, 2, 3], [4, 5, 6]]')).toEqual(expected);
  });

  it.each<[string, Uint8Array | string, RegExp]>([
    ['text', 'no words', /neither an .npz archive nor JSON/],
    ['nothing', '', /neither an .npz archive nor JSON/],
    ['JSON of something else', '{"words": []}', /no array of arrays of numbers/],
    ['no words', '[]', /empty/],
    ['words of no dimensions', '[[], []]', /empty/],
    ['uneven words', '[[1, 2, 3], [4, 5]]', /word 1 has 2 numbers and word 0 has 3/],
    [
      'numbers too large for float32',
      '[[1, 2, 3], [1e99, 0, 0]]',
      /word 1 has a component that is not a finite number/,
    ],
    ['NaN', npz('<f4', Float32Array.of(1, 2, 3, 4, Number.NaN, 6)), /word 1 has a component/],
    ['integers', npz('<i4', Int32Array.of(1, 2, 3, 4, 5, 6)), /dtype int32/],
    ['one dimension', npz('<f4', Float32Array.of(1, 2, 3, 4, 5, 6), '(6,)'), /shape is \(6\)/],
    ['a broken archive', 'PK\x03\x04 and no more', /archive/],
    ['another key', encodeNpz({ words: { dtype: 'float32', shape: [1, 1], data: Float32Array.of(1) } }), /word_embed/],
  ])('are bad_words when they are %s', async (_, bytes, message) => {
    await expect(loadBytes(bytes)).rejects.toMatchObject({
      code: 'bad_words',
      message: expect.stringMatching(message),
    });
  });

  it('are bad_words when they are of another dimension than asked for', async () => {
    const wrong = loadBytes('[[1, 2, 3]]', 200);
    await expect(wrong).rejects.toMatchObject({ code: 'bad_words', message: expect.stringContaining('3 dimensions') });
  });
});
