import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { inferReportSchema } from '../../benchmarks/infer-protocol.js';
import { answerSchema } from '../../serving/answer.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { someWords } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

const MER = fileURLToPath(new URL('../helpers/mer.ts', import.meta.url));

let bundle: string;
let clips: TestClips;

beforeAll(async () => {
  [bundle, clips] = [await tinyBundle(), await testClips()];
});

function mer(...args: string[]): Promise<{ code: number | string | null | undefined; stdout: string; stderr: string }> {
  const flags = ['--bundle', bundle, '--device', 'cpu', '--threads', '1'];
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', MER, ...args, ...flags], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

test('mer predict prints a row for each clip and the reasons of what is missing', async () => {
  const { code, stdout } = await mer('predict', clips.soundless);
  expect(code).toBe(0);
  expect(stdout).toMatch(/soundless\.mp4 +\w{3} +0\.\d\d +\w{3} 0\.\d\d +missing +missing/);
  expect(stdout).toContain('speech missing: the clip has no sound.');
});

test('mer predict --json prints whole answers, and one clip that failed makes the exit code 1', async () => {
  const { code, stdout } = await mer('predict', '--json', clips.pictureless, clips.empty);
  expect(code).toBe(1);
  const [answered, failed] = JSON.parse(stdout);
  expect(answerSchema.parse(answered.answer).modalities.speech.status).toBe('used');
  expect(failed).toMatchObject({ file: clips.empty, error: { code: 'empty_file' } });
});

test('mer predict refuses one file of words for several clips', async () => {
  const { code, stderr } = await mer('predict', clips.whole, clips.whole, '--words', clips.text);
  expect(code).toBe(1);
  expect(stderr).toContain('error (bad_argument)');
});

test('mer predict refuses words and a transcript at once', async () => {
  const { code, stderr } = await mer('predict', clips.whole, '--words', clips.text, '--transcript', 'happy');
  expect(code).toBe(1);
  expect(stderr).toContain('Both --words and --transcript are given.');
});

test('mer bench infer reports every network at batch 1 and 8', async () => {
  const { code, stdout } = await mer('bench', 'infer', '--repeats', '2', '--json', '--no-reference');
  expect(code).toBe(0);
  const { details } = JSON.parse(stdout);
  const { measurements } = inferReportSchema.parse(details.bundle);
  const networks = ['speech', 'face', 'text', 'fusion', 'multimodal'];
  expect(measurements.map(({ graph, batch }) => `${graph} ${batch}`)).toEqual(
    [1, 8].flatMap((batch) => networks.map((network) => `${network} ${batch}`)),
  );
  for (const { milliseconds, p99, clipsPerSecond, batch } of measurements) {
    expect(p99).toBeGreaterThanOrEqual(milliseconds.median);
    expect(clipsPerSecond).toBeCloseTo((1000 * batch) / milliseconds.median, 6);
  }
});

test('mer predict answers a folder as CSV, words beside the clips included, and writes a timeline for each', async () => {
  await inTemporaryFolder(async (folder) => {
    await fsp.copyFile(clips.pictureless, path.join(folder, '00001-x.mp4'));
    await fsp.writeFile(path.join(folder, '00001.json'), JSON.stringify(someWords(1)));
    await fsp.copyFile(clips.soundless, path.join(folder, '00002.mp4'));
    await fsp.copyFile(clips.empty, path.join(folder, '00003.mp4'));
    const timelines = path.join(folder, 'timelines');
    const flags = ['--csv', '--tta', 'default', '--timeline', timelines, '--timeline_format', 'vtt', '--window', '1'];
    const { code, stdout } = await mer('predict', folder, ...flags);
    expect(code).toBe(1);
    const [header, ...rows] = stdout.trim().split('\n');
    expect(header).toBe(
      'file,emotion,confidence,hap,ang,dis,fea,sad,neu,sur,face,speech,text,disagree,seconds_used,error',
    );
    expect(rows[0]).toMatch(/00001-x\.mp4,\w{3},0\.\d+,(0\.\d+,){7}missing,\w{3},\w{3},(true|false),[\d.]+,$/);
    expect(rows[1]).toMatch(/00002\.mp4,\w{3},0\.\d+,(0\.\d+,){7}\w{3},missing,missing,false,[\d.]+,$/);
    expect(rows[2]).toMatch(/00003\.mp4,{15}empty_file$/);
    expect((await fsp.readdir(timelines)).sort()).toEqual(['00001-x.mp4.vtt', '00002.mp4.vtt']);
    const captions = await fsp.readFile(path.join(timelines, '00002.mp4.vtt'), 'utf8');
    expect(captions).toMatch(
      /^WEBVTT\n\n00:00:00\.000 --> 00:00:00\.500\n\w{3} 0\.\d\d \(face \w{3}\)\n\n00:00:00\.500/,
    );
  });
});

test('mer predict refuses one timeline file for several clips before it works on any', async () => {
  const { code, stderr } = await mer('predict', clips.whole, clips.whole, '--timeline', 'timeline.csv');
  expect(code).toBe(1);
  expect(stderr).toContain('timeline.csv is one file for 2 clips.');
});
