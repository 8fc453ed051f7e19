import fsp from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { transcriptWords } from '../../../preprocessing/words/tokens.js';
import { readTranscript, transcriptVectors } from '../../../preprocessing/words/transcript.js';
import { WordTable } from '../../../preprocessing/words/word-table.js';
import { inTemporaryFolder } from '../../helpers/temporary-folder.js';
import { TABLE_FORMATS, type Words } from '../../helpers/word-tables.js';

const WORDS: Words = [
  ['i', [1, 0]],
  ['US', [2, 0]],
  ['us', [3, 0]],
  ['happy', [4, 0]],
  ['정말', [5, 0]],
  ['행복해', [6, 0]],
  [':)', [7, 0]],
];

async function lookUp(transcript: string, limit?: number) {
  return inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'table.vec');
    await fsp.writeFile(file, TABLE_FORMATS.fastText(WORDS));
    const table = await WordTable.open(file);
    try {
      const { features, vocabulary } = await transcriptVectors(transcript, table, limit);
      expect(vocabulary.table).toBe(table.sha256);
      // The first component names the word.
      const found = features.status === 'used' ? [...features.data].filter((_, i) => i % 2 === 0) : features.reason;
      return { found, rate: vocabulary.outOfVocabulary };
    } finally {
      await table.dispose();
    }
  });
}

describe('the words of a transcript', () => {
  it('lie between white space of any kind', () => {
    const words = transcriptWords('정말 \t행복해\u3000오늘\n\n너도').map(({ forms }) => forms[0]);
    expect(words).toEqual(['정말', '행복해', '오늘', '너도']);
  });

  it('are looked up as they stand, in lower case, and without outer punctuation', () => {
    expect(transcriptWords('“Don’t!”')).toEqual([
      { forms: ['“Don’t!”', '“don’t!”', 'Don’t', 'don’t'], isPunctuation: false },
    ]);
  });

  it('are in Unicode NFC', () => {
    expect(transcriptWords('행복'.normalize('NFD'))[0]?.forms).toEqual(['행복'.normalize('NFC')]);
  });
});

describe('a transcript is looked up', () => {
  it('word by word, and what the table lacks is left out', async () => {
    expect(await lookUp('I, Alice, happy!')).toEqual({ found: [1, 4], rate: 1 / 3 });
  });

  it('with the exact spelling before the lower case', async () => {
    expect((await lookUp('US us Us')).found).toEqual([2, 3, 3]);
  });

  it('in Korean', async () => {
    expect(await lookUp('정말, 행복해.')).toEqual({ found: [5, 6], rate: 0 });
  });

  it('with punctuation as a word only where the table has it', async () => {
    expect(await lookUp('happy :) … —')).toEqual({ found: [4, 7], rate: 0 });
  });
});

describe('a transcript counts as missing', () => {
  it('when more of its words than the limit are not in the table, with the rate as the reason', async () => {
    const { found, rate } = await lookUp('one two happy three');
    expect(found).toBe('75 % of the 4 words are not in the word-vector table (the limit is 50 %)');
    expect(rate).toBe(0.75);
  });

  it('not when just as many are', async () => {
    expect(await lookUp('one happy')).toEqual({ found: [4], rate: 0.5 });
  });

  it('by the limit that is given', async () => {
    expect((await lookUp('one two happy three', 0.8)).found).toEqual([4]);
  });

  it('when none of its words is in the table, whatever the limit', async () => {
    expect((await lookUp('one two', 1)).found).toMatch('100 % of the 2 words');
  });

  it.each(['', ' \n ', '… !'])('when it has no words: %j', async (transcript) => {
    expect(await lookUp(transcript)).toEqual({ found: 'the transcript has no words', rate: null });
  });

  it('when it was read from bytes that are no UTF-8', async () => {
    const transcript = Buffer.from([0xc7, 0xe0, 0xba, 0xb9]).toString('utf8');
    expect((await lookUp(transcript)).found).toMatch('UTF-8');
  });
});

it('a transcript file in another encoding is refused by name', async () => {
  await inTemporaryFolder(async (folder) => {
    const file = path.join(folder, '1.txt');
    await fsp.writeFile(file, Buffer.from([0xc7, 0xe0, 0xba, 0xb9]));
    await expect(readTranscript(file)).rejects.toMatchObject({
      code: 'bad_words',
      message: expect.stringContaining(file),
    });
    await fsp.writeFile(file, '\ufeff행복\n');
    expect(await readTranscript(file)).toBe('행복\n');
  });
});
