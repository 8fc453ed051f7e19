import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256File } from '../../common/files.js';
import { isEmotion } from '../../common/labels.js';
import { decodeNpzEntry } from '../../common/npz.js';
import { type DemoCorpus, makeDemoCorpus } from '../../demo/data/demo-corpus.js';
import { readEmotionCsv } from '../../evaluation/emotion-csv.js';

const CLIPS = 8;
const SEED = 21;

let root: string;
let first: string;
let made: DemoCorpus;

beforeAll(async () => {
  root = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-demo-corpus-'));
  first = path.join(root, 'first');
  made = await makeDemoCorpus({ out: first, clips: CLIPS, seed: SEED, workers: 2 });
});
afterAll(() => fsp.rm(root, { recursive: true, force: true }));

async function filesOf(directory: string): Promise<string[]> {
  const entries = await fsp.readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function hashesOf(directory: string): Promise<[string, string][]> {
  const files = await filesOf(directory);
  return Promise.all(
    files.map(async (file): Promise<[string, string]> => [file, await sha256File(path.join(directory, file))]),
  );
}

describe('the demo corpus', () => {
  it('names clips as the real corpus does, with the words beside them', async () => {
    const clips = (await filesOf(first)).filter((file) => file.endsWith('.mp4'));
    expect(clips).toHaveLength(CLIPS);
    const words = (await filesOf(first)).filter((file) => file.endsWith('.npz'));
    expect(words).toEqual(clips.map((clip) => `${path.dirname(clip)}/${path.basename(clip).slice(0, 5)}.npz`));
    for (const clip of clips) {
      const [fileId, ...labels] = path.basename(clip, '.mp4').split('-');
      expect(fileId).toMatch(/^\d{5}$/);
      expect(labels).toHaveLength(/train|val/.test(clip) ? 3 : 0);
      expect(labels.every(isEmotion)).toBe(true);
    }
  });

  it('says how many clips each set got', () => {
    expect(made).toMatchObject({ made: CLIPS, sets: { train: 3, val: 1, test: 1, test1: 1, test2: 1, test3: 1 } });
  });

  it('holds words as float32 (T, 200) under word_embed', async () => {
    const file = path.join(first, 'qia2020/train/00001.npz');
    const { dtype, shape } = decodeNpzEntry(await fsp.readFile(file), 'word_embed', file);
    expect(dtype).toBe('float32');
    expect(shape).toEqual([expect.any(Number), 200]);
  });

  it('keeps the labels of the test sets apart, in the form that submissions have', async () => {
    for (const [index, set] of ['test', 'test1', 'test2', 'test3'].entries()) {
      const labels = await readEmotionCsv(path.join(first, 'labels', `${set}.csv`));
      expect([...labels.keys()]).toEqual([CLIPS - 3 + index]);
    }
  });

  it('is the same, byte by byte, whatever the number of workers', async () => {
    const second = path.join(root, 'second');
    await makeDemoCorpus({ out: second, clips: CLIPS, seed: SEED, workers: 1 });
    expect(await hashesOf(second)).toEqual(await hashesOf(first));
  });

  it('makes only what is missing when asked again, and clears what a killed run left', async () => {
    const before = await hashesOf(first);
    const clip = before.map(([file]) => file).find((file) => file.endsWith('.mp4'))!;
    const kept = path.join(first, before.map(([file]) => file).filter((file) => file.endsWith('.mp4'))[1]!);
    const { mtimeMs } = await fsp.stat(kept);
    await fsp.rename(path.join(first, clip), path.join(first, `${clip}.99.tmp`));
    const again = await makeDemoCorpus({ out: first, clips: CLIPS, seed: SEED, workers: 2 });
    expect(again.made).toBe(1);
    expect(await hashesOf(first)).toEqual(before);
    expect((await fsp.stat(kept)).mtimeMs).toBe(mtimeMs);
  });

  it('refuses the folder of another demo corpus, naming its seed', async () => {
    await expect(makeDemoCorpus({ out: first, clips: CLIPS, seed: SEED + 1 })).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringContaining(`seed ${SEED}`),
    });
  });

  it('refuses a folder that holds something else', async () => {
    const other = path.join(root, 'other');
    await fsp.mkdir(other);
    await fsp.writeFile(path.join(other, 'thesis.txt'), 'mine');
    await expect(makeDemoCorpus({ out: other, clips: CLIPS, seed: SEED })).rejects.toMatchObject({
      code: 'bad_argument',
    });
    expect(await fsp.readdir(other)).toEqual(['thesis.txt']);
  });

  it('refuses fewer clips than there are sets', async () => {
    const out = path.join(root, 'few');
    await expect(makeDemoCorpus({ out, clips: 5, seed: SEED })).rejects.toMatchObject({ code: 'bad_argument' });
  });
});
