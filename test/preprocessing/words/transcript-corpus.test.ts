import fsp from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256File } from '../../../common/files.js';
import { encodeNpz } from '../../../common/npz.js';
import { listClips, loadClipFeatures } from '../../../preprocessing/corpus/feature-store.js';
import { TABLE_FORMATS, type Words } from '../../helpers/word-tables.js';
import { type TestCorpus, withCorpus } from '../corpus-helpers.js';

const WORDS: Words = [
  ['정말', [1, 2]],
  ['행복해', [3, 4]],
];

/** A clip with a transcript that the table knows, one that it does not know, and one with word vectors. */
async function addClips({ add, write }: TestCorpus): Promise<void> {
  await add('qia2020/train/1-hap-hap-hap.mp4');
  await write('qia2020/train/1.txt', '\ufeff정말 행복해!\n');
  await add('qia2020/train/2-sad-sad-sad.mp4');
  await write('qia2020/train/2.txt', '오늘은 정말 너무 슬퍼\n');
  await add('qia2020/train/3-ang-ang-ang.mp4');
  const vectors = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(5, 6) } as const;
  await write('qia2020/train/3.npz', encodeNpz({ word_embed: { ...vectors, shape: [1, 2] } }));
}

async function addTable(folder: string, words: Words) {
  const file = path.join(folder, 'words.vec');
  await fsp.writeFile(file, TABLE_FORMATS.fastText(words));
  return { file, maxOutOfVocabulary: 0.5 };
}

describe('transcripts of a corpus', () => {
  beforeEach(() => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('become word features that say the table and how many words it lacks', async () => {
    await withCorpus(async (corpus) => {
      await addClips(corpus);
      const wordTable = await addTable(corpus.folder, WORDS);
      const { summary } = await corpus.run({ wordTable });
      const table = await sha256File(wordTable.file);
      const records = await listClips(corpus.features, 'train');
      expect(records.map(({ text }) => text)).toEqual([
        { status: 'used', words: 2, dim: 2, table, outOfVocabulary: 0 },
        {
          status: 'missing',
          reason: '75 % of the 4 words are not in the word-vector table (the limit is 50 %)',
          ...{ words: 0, dim: 0, table, outOfVocabulary: 0.75 },
        },
        { status: 'used', words: 1, dim: 2, table: null, outOfVocabulary: null },
      ]);
      const { text } = await loadClipFeatures(corpus.features, 'train', records[0]!);
      expect(text).toMatchObject({ data: Float32Array.of(1, 2, 3, 4) });
      expect(summary.transcripts).toEqual({ clips: 2, lookedUp: 2, outOfVocabulary: 0.375, missing: 1 });
    });
  });

  it('are done again with another table, and clips with word vectors are not', async () => {
    await withCorpus(async (corpus) => {
      await addClips(corpus);
      await corpus.run({ wordTable: await addTable(corpus.folder, WORDS) });
      const other: Words = [...WORDS, ['슬퍼', [7, 8]]];
      const { summary } = await corpus.run({ wordTable: await addTable(corpus.folder, other) });
      expect(summary.splits.train).toMatchObject({ clips: 3, reused: 1, used: { text: 3 } });
    });
  });

  it('count as missing without a table, with the remedy in the reason', async () => {
    await withCorpus(async (corpus) => {
      await addClips(corpus);
      const { summary } = await corpus.run();
      const [record] = await listClips(corpus.features, 'train');
      expect(record?.text).toMatchObject({
        status: 'missing',
        reason: 'there is a transcript, but no word-vector table was given',
        table: null,
      });
      expect(summary.transcripts).toEqual({ clips: 2, lookedUp: 0, outOfVocabulary: null, missing: 0 });
    });
  });
});
