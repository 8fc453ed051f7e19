import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { answerSchema } from '../../serving/answer.js';
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
  const { code, stdout } = await mer('bench', 'infer', '--repeats', '2', '--json');
  expect(code).toBe(0);
  const { measurements } = JSON.parse(stdout);
  const networks = ['speech', 'face', 'text', 'fusion', 'multimodal'];
  expect(measurements.map(({ graph, batch }: { graph: string; batch: number }) => `${graph} ${batch}`)).toEqual(
    [1, 8].flatMap((batch) => networks.map((network) => `${network} ${batch}`)),
  );
  for (const { p50, p99, clipsPerSecond, batch } of measurements) {
    expect(p99).toBeGreaterThanOrEqual(p50);
    expect(clipsPerSecond).toBeCloseTo((1000 * batch) / p50, 6);
  }
});
