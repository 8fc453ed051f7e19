import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256File } from '../../../common/files.js';
import { WordTable } from '../../../preprocessing/words/word-table.js';
import { inTemporaryFolder } from '../../helpers/temporary-folder.js';
import { TABLE_FORMATS, type Words } from '../../helpers/word-tables.js';

type Format = keyof typeof TABLE_FORMATS;
const FORMATS = Object.keys(TABLE_FORMATS) as Format[];
const TEXT_FORMATS = ['word2vecText', 'fastText', 'glove'] as const;

/** Numbers that float32 holds exactly. */
const WORDS: Words = [
  ['the', [0.5, -1, 2]],
  ['행복', [1, 0, -0.25]],
  ['2020', [3, 4, 5]],
  ['Seoul', [0, 0, 0]],
];

interface OpenTable {
  table: WordTable;
  file: string;
  folder: string;
}

async function withTable<T>(content: Uint8Array | string, use: (open: OpenTable) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'table');
    await fsp.writeFile(file, content);
    const table = await WordTable.open(file, path.join(folder, 'cache'));
    try {
      return await use({ table, file, folder });
    } finally {
      await table.dispose();
    }
  });
}

/** Opens the table again and looks one word up. */
async function lookUp(file: string, word: string): Promise<number[] | undefined> {
  const table = await WordTable.open(file, path.join(path.dirname(file), 'cache'));
  try {
    const vector = await table.find(word);
    return vector === null ? undefined : [...vector];
  } finally {
    await table.dispose();
  }
}

describe.each(FORMATS)('a table in the format %s', (format) => {
  it('gives every word its vector, and null for others', async () => {
    await withTable(TABLE_FORMATS[format](WORDS), async ({ table, file }) => {
      for (const [word, vector] of WORDS) expect(await table.find(word), word).toEqual(Float32Array.from(vector));
      for (const word of ['seoul', 'th', 'thee', '', 'the ']) expect(await table.find(word), word).toBeNull();
      expect({ dim: table.dim, words: table.words }).toEqual({ dim: 3, words: 4 });
      expect(table.sha256).toBe(await sha256File(file));
    });
  });

  it('may be larger than what is read at once', async () => {
    const vector = Array.from({ length: 300 }, (_, i) => i / 8);
    const many: Words = Array.from({ length: 9000 }, (_, i) => [`낱말${i}`, [i, ...vector]]);
    await withTable(TABLE_FORMATS[format](many), async ({ table }) => {
      expect(table.words).toBe(9000);
      for (const i of [0, 1, 4321, 6987, 8999]) expect((await table.find(`낱말${i}`))?.[0]).toBe(i);
    });
  });

  it('gives the first vector of a word that comes twice', async () => {
    const words: Words = [...WORDS, ['the', [9, 9, 9]]];
    await withTable(TABLE_FORMATS[format](words), async ({ table }) => {
      expect(await table.find('the')).toEqual(Float32Array.of(0.5, -1, 2));
    });
  });

  it('finds Hangul whether it is written in syllables or in letters', async () => {
    const [composed, decomposed] = ['각'.normalize('NFC'), '각'.normalize('NFD')];
    await withTable(TABLE_FORMATS[format]([[decomposed, [1, 2]]]), async ({ table }) => {
      expect(await table.find(composed)).toEqual(Float32Array.of(1, 2));
      expect(await table.find(decomposed)).toEqual(Float32Array.of(1, 2));
    });
  });
});

it.each(TEXT_FORMATS)('words with spaces stand whole in the format %s', async (format) => {
  const words: Words = [
    ['the', [1, 2, 3]],
    ['. . .', [4, 5, 6]],
    ['at 12', [7, 8, 9]],
  ];
  await withTable(TABLE_FORMATS[format](words), async ({ table }) => {
    expect(await table.find('. . .')).toEqual(Float32Array.of(4, 5, 6));
    expect(await table.find('at 12')).toEqual(Float32Array.of(7, 8, 9));
  });
});

it('any words are found in any format', async () => {
  const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((text) => !/[\s\0]/u.test(text));
  // Tables write -0 as 0.
  const number = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  const vector = fc.array(number, { minLength: 2, maxLength: 2 });
  const table = fc.uniqueArray(fc.tuple(word, vector), {
    minLength: 1,
    maxLength: 20,
    selector: ([text]) => text.normalize('NFC'),
  });
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.constantFrom('word2vecText', 'fastText', 'binary', 'binaryWithoutNewlines'),
      (words, format) =>
        withTable(TABLE_FORMATS[format](words), async ({ table }) => {
          for (const [text, numbers] of words) expect(await table.find(text)).toEqual(Float32Array.from(numbers));
        }),
    ),
    { numRuns: 25 },
  );
});

describe('the index of a table', () => {
  const glove = TABLE_FORMATS.glove(WORDS);

  it('is made once', async () => {
    await withTable(glove, async ({ file }) => {
      const made = await fsp.stat(`${file}.index`);
      expect(await lookUp(file, 'the')).toEqual([0.5, -1, 2]);
      const found = await fsp.stat(`${file}.index`);
      expect([found.ino, found.mtimeMs]).toEqual([made.ino, made.mtimeMs]);
    });
  });

  it('is made anew when the table has changed, though its size is the same', async () => {
    await withTable(glove, async ({ file }) => {
      await fsp.writeFile(file, glove.toString().replace('the 0.5', 'the 1.5'));
      expect(await lookUp(file, 'the')).toEqual([1.5, -1, 2]);
    });
  });

  it('is made anew when the table has changed, though its size and time are the same', async () => {
    await withTable(glove, async ({ file }) => {
      const { atime, mtime } = await fsp.stat(file);
      await fsp.writeFile(file, glove.toString().replace('the', 'she'));
      await fsp.utimes(file, atime, mtime);
      expect(await lookUp(file, 'she')).toEqual([0.5, -1, 2]);
    });
  });

  it.each([
    ['cut short', (index: Buffer) => index.subarray(0, index.length - 5)],
    ['empty', () => Buffer.alloc(0)],
    ['something else', () => Buffer.from('MERWORD1\xff\xff\xff\xff no index')],
  ])('is made anew when it is %s', async (_, damage) => {
    await withTable(glove, async ({ file }) => {
      await fsp.writeFile(`${file}.index`, damage(await fsp.readFile(`${file}.index`)));
      expect(await lookUp(file, 'the')).toEqual([0.5, -1, 2]);
    });
  });

  it('goes to the cache where it cannot lie beside the table', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'table');
      await fsp.writeFile(file, glove);
      await fsp.mkdir(`${file}.index`);
      expect(await lookUp(file, 'the')).toEqual([0.5, -1, 2]);
      expect(await fsp.readdir(path.join(folder, 'cache'))).toHaveLength(1);
      expect((await fsp.readdir(folder)).sort()).toEqual(['cache', 'table', 'table.index']);
    });
  });

  it('leaves nothing of a process that was killed over it', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'table');
      await fsp.writeFile(file, glove);
      // No process has so large a number.
      await fsp.writeFile(`${file}.index.4194999.0123abcd.tmp`, 'half');
      await lookUp(file, 'the');
      expect((await fsp.readdir(folder)).sort()).toEqual(['table', 'table.index']);
    });
  });
});

describe('a table that cannot be read is bad_file, with the place', () => {
  const binary = TABLE_FORMATS.binary(WORDS);

  it.each<[string, Uint8Array | string, RegExp]>([
    ['empty', '', /line 1 is neither/],
    ['some text', 'This is no table\nat all\n', /line 1 has a field that is no number/],
    ['a line that is too short', '2 3\na 1 2 3\nb 1 2\n', /line 3 has 2 numbers after its word instead of 3/],
    ['a line that is too long', 'a 1.5 2.5 3.5\nb 1.5 2.5 3.5 4.5\n', /line 2 has more than 3 numbers/],
    [
      'a dimension that is not that of the lines',
      '2 2\na 1.5 2.5 3.5\nb 1.5 2.5 3.5\n',
      /line 2 has more than 2 numbers/,
    ],
    ['a number that is none', 'a 1 2 3\nb 1 x 3\n', /line 2 has a field that is no number \(field 2/],
    ['a NaN', 'a 1 2 3\nb 1 nan 3\n', /line 2 has a field that is no number/],
    ['a line without a word', '2 3\na 1 2 3\n 1 2 3\n', /line 3 has no word before its 3 numbers/],
    ['fewer lines than promised', '3 2\na 1 2\nb 1 2\n', /line 1 promises 3 words, and the file ends after 2/],
    ['no dimensions', '3 0\na\nb\n', /line 1 promises 3 words of 0 dimensions/],
    ['impossible dimensions', '3 99999999\na 1\n', /line 1 promises 3 words of 99999999 dimensions/],
    ['impossibly many words', '99999999999 3\na 1 2 3\n', /line 1 promises 99999999999 words/],
    ['a header alone', '3 2\n', /ends after 0/],
    ['a binary file that is cut short', binary.subarray(0, binary.length - 9), /word 4 \(byte \d+\) is cut short/],
    [
      'a binary file that goes on',
      Buffer.concat([binary, Buffer.from('more')]),
      /after its 4 words it goes on at byte/,
    ],
    [
      'a binary file with an endless word',
      Buffer.concat([Buffer.from('1 2\n\0'), Buffer.alloc(9000, 'x')]),
      /word 1 \(byte 4\) is longer/,
    ],
    ['a line without end', `1 2\n${'x'.repeat(9 * 2 ** 20)}`, /line 2 is too long/],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), /compressed with gzip/],
    ['a zip archive', 'PK\x03\x04', /a zip archive/],
    ['a pickle', Buffer.from([0x80, 4, 0x95]), /a pickle/],
    ['a fastText model', Buffer.from('ba164f2f0c000000', 'hex'), /a whole fastText model/],
  ])('%s', async (_, content, message) => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'table');
      await fsp.writeFile(file, content);
      const opening = WordTable.open(file, path.join(folder, 'cache'));
      await expect(opening).rejects.toMatchObject({ code: 'bad_file', message: expect.stringMatching(message) });
      await expect(opening).rejects.toMatchObject({ message: expect.stringContaining(file) });
      expect(fs.readdirSync(folder)).toEqual(['table']);
    });
  });

  it('a vector with an infinite number, when its word is asked for', async () => {
    const words: Words = [
      ['fine', [1, 2]],
      ['broken', [1, Number.POSITIVE_INFINITY]],
    ];
    await withTable(TABLE_FORMATS.binary(words), async ({ table }) => {
      expect(await table.find('fine')).toEqual(Float32Array.of(1, 2));
      await expect(table.find('broken')).rejects.toMatchObject({
        code: 'bad_file',
        message: expect.stringContaining('"broken"'),
      });
    });
  });

  it('a file that is not there is not_found', async () => {
    await expect(WordTable.open('/no/such/table')).rejects.toMatchObject({ code: 'not_found' });
  });
});
