import fsp from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { submit } from '../../evaluation/submit.js';
import { Engine } from '../../serving/engine/engine.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

let bundle: string;
let clips: TestClips;

beforeAll(async () => {
  [bundle, clips] = [await tinyBundle(), await testClips()];
});

/** A test folder with the given clips by name. */
async function testSet(folder: string, files: Record<string, string>): Promise<string> {
  await fsp.mkdir(folder, { recursive: true });
  for (const [name, source] of Object.entries(files)) await fsp.copyFile(source, path.join(folder, name));
  return folder;
}

const run = (tests: Parameters<typeof submit>[0]['tests'], outDir: string) =>
  submit({ tests, bundleDir: bundle, outDir, device: 'cpu', threads: 1 });

test('each test set gets its submission in numeric order, with neu and a reason for a clip that failed', async () => {
  await inTemporaryFolder(async (folder) => {
    const out = path.join(folder, 'out');
    const test1 = await testSet(path.join(folder, 'test1'), {
      '00010.mp4': clips.soundless,
      '00009-x-y.mp4': clips.text,
      '00100.mp4': clips.pictureless,
      'notes.txt': clips.text,
    });
    const test2 = await testSet(path.join(folder, 'test2'), { '1.mp4': clips.faceless });
    const summary = await run({ test1, test2 }, out);
    const engine = await Engine.create(bundle, { device: 'cpu', threads: 1, workers: 1 });
    const [first, second] = [
      await engine.predict({ clip: clips.soundless }),
      await engine.predict({ clip: clips.pictureless }),
    ];
    await engine.dispose();
    expect(await fsp.readFile(path.join(out, 'test1_submission.csv'), 'utf8')).toBe(
      `FileID,Emotion\n9,neu\n10,${first.emotion}\n100,${second.emotion}\n`,
    );
    expect(await fsp.readFile(path.join(out, 'test2_submission.csv'), 'utf8')).toMatch(/^FileID,Emotion\n1,\w{3}\n$/);
    const failures = await fsp.readFile(path.join(out, 'failures.csv'), 'utf8');
    expect(failures).toMatch(/^Test,FileID,Code,Reason\ntest1,9,unsupported_media,".+"\n$/);
    expect(summary.failures).toHaveLength(1);
    expect((await fsp.readdir(out)).sort()).toEqual(['failures.csv', 'test1_submission.csv', 'test2_submission.csv']);
  });
});

test('what a killed run found out is not done again', async () => {
  await inTemporaryFolder(async (folder) => {
    const out = path.join(folder, 'out');
    const test1 = await testSet(path.join(folder, 'test1'), { '1.mp4': clips.pictureless });
    const clip = path.join(test1, '1.mp4');
    const { size, mtimeMs } = await fsp.stat(clip);
    const { version } = JSON.parse(await fsp.readFile(path.join(bundle, 'bundle.json'), 'utf8'));
    // An emotion that the network does not answer shows that the line was believed; the last line was cut off.
    const key = `${version} ${clip} ${size} ${mtimeMs}`;
    await fsp.mkdir(out);
    await fsp.writeFile(path.join(out, 'progress.jsonl'), `${JSON.stringify({ key, emotion: 'fea' })}\n{"key":"x`);
    await run({ test1 }, out);
    expect(await fsp.readFile(path.join(out, 'test1_submission.csv'), 'utf8')).toBe('FileID,Emotion\n1,fea\n');
    await run({ test1 }, out);
    expect(await fsp.readFile(path.join(out, 'test1_submission.csv'), 'utf8')).not.toContain('fea');
  });
});

test('two clips with one FileID are refused by name', async () => {
  await inTemporaryFolder(async (folder) => {
    const test1 = await testSet(path.join(folder, 'test1'), { '7.mp4': clips.text, '007.mp4': clips.text });
    await expect(run({ test1 }, path.join(folder, 'out'))).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringMatching(/007\.mp4.*7\.mp4/),
    });
  });
});

test('a folder without clips is refused', async () => {
  await inTemporaryFolder(async (folder) => {
    await expect(run({ test3: folder }, path.join(folder, 'out'))).rejects.toMatchObject({ code: 'not_found' });
  });
});
