import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { answerSchema } from '../../serving/answer.js';
import { until } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

const MER = fileURLToPath(new URL('../helpers/mer.ts', import.meta.url));

let bundle: string;
let clips: TestClips;
let temporary: string;
let server: ChildProcess;

beforeAll(async () => {
  [bundle, clips] = [await tinyBundle(), await testClips()];
});

beforeEach(async () => {
  temporary = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-serve-'));
});

afterEach(async () => {
  server.kill('SIGKILL');
  await fsp.rm(temporary, { recursive: true });
});

/** Runs `mer serve` with a temporary folder of its own and waits for its log line that it is ready. */
async function serve(): Promise<string> {
  const args = ['serve', '--bundle', bundle, '--device', 'cpu', '--port', '0', '--preprocess_workers', '1'];
  server = spawn(process.execPath, ['--import', 'tsx', MER, ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of readline.createInterface({ input: server.stdout! })) {
    const { msg, url } = JSON.parse(line);
    if (msg === 'ready') return url;
  }
  throw new Error('mer serve ended before it was ready.');
}

function childrenOf(pid: number): number[] {
  const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

const lives = (pid: number): boolean => fs.existsSync(`/proc/${pid}/exe`);

async function post(url: string): Promise<Response> {
  const form = new FormData();
  form.append('clip', new Blob([await fsp.readFile(clips.whole)]), 'clip.mp4');
  return fetch(`${url}/v1/predict`, { method: 'POST', body: form });
}

const dataFolders = (): string[] => fs.readdirSync(temporary).filter((name) => name.startsWith('mer-serve-'));

/** What is left in its temporary folder, but for what tsx compiled. */
const leftOver = (): string[] => fs.readdirSync(temporary).filter((name) => !name.startsWith('tsx-'));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets the clip in work finish, exits with 0 and leaves neither process nor file`, async () => {
    const url = await serve();
    const children = childrenOf(server.pid!);
    const answer = post(url);
    const uploads = path.join(temporary, dataFolders()[0]!, 'uploads');
    await until(() => fs.readdirSync(uploads, { recursive: true }).length === 2);
    server.kill(signal);
    const response = await answer;
    expect(response.status).toBe(200);
    expect(answerSchema.parse(await response.json()).modalities.face.status).toBe('used');
    const [code] = server.exitCode === null ? await once(server, 'exit') : [server.exitCode];
    expect(code).toBe(0);
    expect(children.filter(lives)).toEqual([]);
    expect(leftOver()).toEqual([]);
  });
}

test('children of a server that was killed end by themselves', async () => {
  await serve();
  const children = childrenOf(server.pid!);
  expect(children.length).toBeGreaterThanOrEqual(2);
  server.kill('SIGKILL');
  await until(() => !children.some(lives));
});
