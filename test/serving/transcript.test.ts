import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUNDLE_FILE, bundleSchema } from '../../common/bundle.js';
import { readJson, sha256File, writeJsonAtomic } from '../../common/files.js';
import { Engine } from '../../serving/engine/engine.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';
import { TABLE_FORMATS, type Words } from '../helpers/word-tables.js';

const WORDS: Words = ['i', 'am', 'happy', 'sad'].map((word, index) => [
  word,
  // Of the tiny network's dimension; eighths are exact in float32 and in text.
  Array.from({ length: 24 }, (_, i) => ((i * (index + 3)) % 17) / 8 - 1),
]);

let folder: string;
let clips: TestClips;
let bundle: string;
let file: string;

/** The tiny bundle as if its training's words were of the table. */
async function bundleOf(table: string): Promise<string> {
  const copy = path.join(folder, 'bundle');
  await fsp.cp(await tinyBundle(), copy, { recursive: true });
  const described = await readJson(path.join(copy, BUNDLE_FILE), bundleSchema);
  described.preprocessing.wordTable = await sha256File(table);
  await writeJsonAtomic(path.join(copy, BUNDLE_FILE), described);
  return copy;
}

beforeAll(async () => {
  folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  clips = await testClips();
  file = path.join(folder, 'words.txt');
  await fsp.writeFile(file, TABLE_FORMATS.glove(WORDS));
  bundle = await bundleOf(file);
});

afterAll(() => fsp.rm(folder, { recursive: true }));

const options = { device: 'cpu', threads: 1, workers: 1 } as const;
const open = (bundleDir: string, table: string) =>
  Engine.create(bundleDir, { ...options, wordTable: { file: table, maxOutOfVocabulary: 0.5 } });

test('a transcript is answered as its word vectors are, and unknown words make the text missing', async () => {
  const engine = await open(bundle, file);
  try {
    const words = path.join(folder, 'words.json');
    await fsp.writeFile(words, JSON.stringify([WORDS[0]![1], WORDS[1]![1], WORDS[2]![1]]));
    const clip = clips.pictureless;
    const [said, given] = [
      await engine.predict({ clip, transcript: 'I am HAPPY!' }),
      await engine.predict({ clip, words }),
    ];
    expect(said.modalities.text).toMatchObject({ status: 'used' });
    expect(said.modalities.text).toEqual(given.modalities.text);
    const unknown = await engine.predict({ clip, transcript: 'nobody knows this, happy' });
    expect(unknown.modalities.text).toMatchObject({
      status: 'missing',
      reason: expect.stringContaining('75 % of the 4 words'),
    });
  } finally {
    await engine.dispose();
  }
});

test('another table than that of the training is refused, naming both', async () => {
  const other = path.join(folder, 'other.txt');
  await fsp.writeFile(other, TABLE_FORMATS.glove(WORDS.slice(1)));
  const opening = open(bundle, other);
  await expect(opening).rejects.toMatchObject({ code: 'bad_argument' });
  for (const table of [file, other]) {
    await expect(opening).rejects.toMatchObject({ message: expect.stringContaining(await sha256File(table)) });
  }
});

test('a table is refused where the training had word vectors of no known table', async () => {
  const opening = open(await tinyBundle(), file);
  await expect(opening).rejects.toMatchObject({
    code: 'bad_argument',
    message: expect.stringMatching(/those of the bundle tiny are vectors that were given as files/),
  });
});
