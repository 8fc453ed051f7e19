import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { EMOTIONS } from '../../common/labels.js';
import { type SubmitOptions, submit } from '../../evaluation/submit.js';
import { preprocessCorpus } from '../../preprocessing/corpus/corpus.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { randomFeatures, storeTestClip } from '../helpers/test-set-features.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

const MER = fileURLToPath(new URL('../helpers/mer.ts', import.meta.url));

let bundle: string;
let clips: TestClips;

beforeAll(async () => {
  [bundle, clips] = [await tinyBundle('lively'), await testClips()];
});

/** A test folder with the given clips by name. */
async function testSet(folder: string, files: Record<string, string>): Promise<string> {
  await fsp.mkdir(folder, { recursive: true });
  for (const [name, source] of Object.entries(files)) await fsp.copyFile(source, path.join(folder, name));
  return folder;
}

const run = (outDir: string, options: Partial<SubmitOptions>) =>
  submit({ bundleDirs: [bundle], outDir, lists: {}, workers: 1, device: 'cpu', threads: 1, ...options });

/** All files of a folder, by name. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await fsp.readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await fsp.readFile(path.join(folder, name), 'utf8')] as const)),
  );
}

const FILES = ['failures.csv', 'scores.csv', 'summary.json', 'summary.txt'];

describe('a submission of clips', () => {
  test('has integer FileIDs in numeric order, and neu with a reason for a clip that failed', async () => {
    await inTemporaryFolder(async (folder) => {
      const out = path.join(folder, 'out');
      const test1 = await testSet(path.join(folder, 'test1'), {
        '00010.mp4': clips.soundless,
        '00009-x-y.mp4': clips.text,
        '00100.mp4': clips.pictureless,
        'notes.txt': clips.text,
      });
      const test2 = await testSet(path.join(folder, 'test2'), { '1.mp4': clips.faceless });
      const summary = await run(out, { tests: { test1, test2 } });
      const files = await contents(out);
      expect(Object.keys(files)).toEqual([...FILES, 'test1_submission.csv', 'test2_submission.csv']);
      expect(files['test1_submission.csv']).toMatch(/^FileID,Emotion\n9,neu\n10,\w{3}\n100,\w{3}\n$/);
      expect(files['test2_submission.csv']).toMatch(/^FileID,Emotion\n1,\w{3}\n$/);
      expect(files['failures.csv']).toMatch(/^Test,FileID,Code,Reason\ntest1,9,unsupported_media,".+"\n$/);
      expect(summary.failures).toHaveLength(1);
      expect(summary.tests.map(({ clips: count, failed }) => [count, failed])).toEqual([
        [3, 1],
        [1, 0],
      ]);
    });
  });

  test('equals that of the features which `mer preprocess` makes of them, failed clips included', async () => {
    await inTemporaryFolder(async (folder) => {
      const corpus = path.join(folder, 'corpus');
      const test3 = await testSet(path.join(corpus, 'merc2020', 'test3'), {
        '00002.mp4': clips.soundless,
        '00001.mp4': clips.pictureless,
        '00003.mp4': clips.text,
      });
      const featuresDir = path.join(folder, 'features');
      const split = { seed: 1, valShare: 0.1, testShare: 0 };
      const settings = { compat: 'default', maxFrames: 8, workers: 1 } as const;
      await preprocessCorpus({
        corpusDir: corpus,
        format: 'auto',
        split,
        featuresDir,
        ravdessCalm: 'neu',
        ...settings,
      });
      await run(path.join(folder, 'raw'), { tests: { test3 } });
      await run(path.join(folder, 'ready'), { featuresDir });
      const raw = await contents(path.join(folder, 'raw'));
      expect(raw['test3_submission.csv']).toMatch(/\n3,neu\n$/);
      expect(await contents(path.join(folder, 'ready'))).toEqual(raw);
    });
  });

  for (const [what, files, message] of [
    ['two clips with one FileID', { '7.mp4': 'text', '007.mp4': 'text' }, /7\.mp4.*7\.mp4/],
    ['a clip without a FileID', { 'x7.mp4': 'text' }, /x7\.mp4/],
    ['a folder without clips', {}, /has no clips/],
  ] as const) {
    test(`${what}: refused by name`, async () => {
      await inTemporaryFolder(async (folder) => {
        const chosen = Object.fromEntries(Object.keys(files).map((name) => [name, clips.text]));
        const test1 = await testSet(path.join(folder, 'test1'), chosen);
        await expect(run(path.join(folder, 'out'), { tests: { test1 } })).rejects.toThrow(message);
      });
    });
  }
});

describe('a submission of features', () => {
  test('follows the lists, and refuses one of other clips before anything is scored', async () => {
    await inTemporaryFolder(async (folder) => {
      const [featuresDir, out, list] = ['features', 'out', 'test1.csv'].map((name) => path.join(folder, name));
      for (const clip of [1, 2, 10]) await storeTestClip(featuresDir!, 'test1', clip, randomFeatures(clip));
      await fsp.writeFile(list!, 'FileID\n10\n1\n2\n');
      await run(out!, { featuresDir: featuresDir!, lists: { test1: list! } });
      const ids = (text: string) => [...text.matchAll(/^(\d+),/gm)].map(([, id]) => Number(id));
      expect(ids(await fsp.readFile(path.join(out!, 'test1_submission.csv'), 'utf8'))).toEqual([10, 1, 2]);
      await fsp.writeFile(list!, 'FileID\n10\n1\n');
      await expect(run(out!, { featuresDir: featuresDir!, lists: { test1: list! } })).rejects.toThrow(/FileID 2\./);
    });
  });

  test('names the class of the highest score, and scores sum to 1', async () => {
    await inTemporaryFolder(async (folder) => {
      const [featuresDir, out] = ['features', 'out'].map((name) => path.join(folder, name));
      for (const clip of [1, 3, 4]) await storeTestClip(featuresDir!, 'test2', clip, randomFeatures(clip));
      await run(out!, { featuresDir: featuresDir! });
      const [header, ...rows] = (await fsp.readFile(path.join(out!, 'scores.csv'), 'utf8')).trimEnd().split('\n');
      expect(header).toBe(`Test,FileID,Emotion,${EMOTIONS.join(',')}`);
      expect(rows).toHaveLength(3);
      for (const row of rows) {
        const [test, , emotion, ...scores] = row.split(',');
        const values = scores.map(Number);
        expect(test).toBe('test2');
        expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
        expect(emotion).toBe(EMOTIONS[values.indexOf(Math.max(...values))]);
      }
    });
  });

  for (const modality of ['speech', 'text'] as const) {
    test(`${modality} that is no numbers is refused by the name of the clip`, async () => {
      await inTemporaryFolder(async (folder) => {
        const features = randomFeatures(1);
        const value = features[modality];
        if (value.status === 'used') value.data[7] = Number.NaN;
        await storeTestClip(folder, 'test1', 1, features);
        await expect(run(path.join(folder, 'out'), { featuresDir: folder })).rejects.toThrow(/test1-00001/);
      });
    });
  }

  test('bundles of different modes are no ensemble', async () => {
    await inTemporaryFolder(async (folder) => {
      await storeTestClip(folder, 'test1', 1, randomFeatures(1));
      const bundleDirs = [bundle, await tinyBundle('seed')];
      await expect(run(path.join(folder, 'out'), { featuresDir: folder, bundleDirs })).rejects.toMatchObject({
        code: 'bad_argument',
        message: expect.stringMatching(/tiny-lively.*default.*tiny-seed.*seed/),
      });
    });
  });

  test('two runs, and one that was killed and run again, give the same files to the last byte', async () => {
    await inTemporaryFolder(async (folder) => {
      const featuresDir = path.join(folder, 'features');
      for (let clip = 1; clip <= 12; clip++) await storeTestClip(featuresDir, 'test1', clip, randomFeatures(clip));
      const [first, second, killed] = ['first', 'second', 'killed'].map((name) => path.join(folder, name));
      await run(first!, { featuresDir });
      const whole = await contents(first!);
      expect(Object.keys(whole)).toEqual([...FILES, 'test1_submission.csv']);
      await run(second!, { featuresDir });
      expect(await contents(second!)).toEqual(whole);

      await startAndKill(['--features', featuresDir, '--bundle', bundle], killed!);
      await run(killed!, { featuresDir });
      expect(await contents(killed!)).toEqual(whole);
    });
  });

  test('one of raw clips that was killed and run again gives the same files to the last byte', async () => {
    await inTemporaryFolder(async (folder) => {
      const sources = [
        clips.soundless,
        clips.pictureless,
        clips.text,
        clips.faceless,
        clips.soundless,
        clips.pictureless,
      ];
      const test2 = await testSet(
        path.join(folder, 'test2'),
        Object.fromEntries(sources.map((source, i) => [`${i + 1}.mp4`, source])),
      );
      const [whole, killed] = [path.join(folder, 'whole'), path.join(folder, 'killed')];
      await run(whole, { tests: { test2 } });
      await startAndKill(['--test2', test2, '--bundle', bundle], killed);
      await run(killed, { tests: { test2 } });
      expect(await contents(killed)).toEqual(await contents(whole));
    });
  });
});

/** Starts `mer submit`, and kills it when three clips stand in its journal. */
async function startAndKill(args: string[], outDir: string): Promise<void> {
  const journal = path.join(outDir, 'progress.jsonl');
  const flags = ['--device', 'cpu', '--threads', '1', ...args, '--out', outDir];
  const child = spawn(process.execPath, ['--import', 'tsx', MER, 'submit', ...flags], { stdio: 'ignore' });
  while ((await linesOf(journal)) < 3 && child.exitCode === null) await new Promise((done) => setTimeout(done, 5));
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await linesOf(journal)).toBeGreaterThanOrEqual(3);
}

async function linesOf(file: string): Promise<number> {
  const text = await fsp.readFile(file, 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}
