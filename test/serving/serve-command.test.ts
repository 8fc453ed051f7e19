import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Job, jobSchema } from '../../serving/jobs/job.js';
import { until } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { FORM_END, FORM_HEAD, RawClient, uploadHead } from '../helpers/test-server.js';
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
async function serve(...more: string[]): Promise<string> {
  const args = ['serve', '--bundle', bundle, '--device', 'cpu', '--port', '0', '--preprocess_workers', '1', ...more];
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

async function post(url: string, route = '/v1/predict'): Promise<Response> {
  const form = new FormData();
  form.append('clip', new Blob([await fsp.readFile(clips.whole)]), 'clip.mp4');
  return fetch(`${url}${route}`, { method: 'POST', body: form });
}

const dataFolders = (): string[] => fs.readdirSync(temporary).filter((name) => name.startsWith('mer-serve-'));

/** What is left in its temporary folder, but for what tsx compiled. */
const leftOver = (): string[] => fs.readdirSync(temporary).filter((name) => !name.startsWith('tsx-'));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends readiness, lets the clip in work finish, exits with 0 and leaves neither process nor file`, async () => {
    const url = await serve();
    const children = childrenOf(server.pid!);
    const clip = await fsp.readFile(clips.whole);
    const client = await RawClient.connect(Number(new URL(url).port));
    await client.send(uploadHead(FORM_HEAD.length + clip.length + FORM_END.length) + FORM_HEAD);
    const uploads = path.join(temporary, dataFolders()[0]!, 'uploads');
    await until(() => fs.readdirSync(uploads).length === 1);
    server.kill(signal);
    await until(async () => (await fetch(`${url}/health/ready`)).status === 503);
    expect((await post(url)).status).toBe(503);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await client.send(Buffer.concat([clip, Buffer.from(FORM_END)]));
    await client.closed;
    expect(client.received).toMatch(/^HTTP\/1\.1 200 /);
    expect(client.received).toContain('"face":{"status":"used"');
    const [code] = server.exitCode === null ? await once(server, 'exit') : [server.exitCode];
    expect(code).toBe(0);
    expect(children.filter(lives)).toEqual([]);
    expect(leftOver()).toEqual([]);
  });
}

test('jobs that were accepted are finished by the server after one that was killed', async () => {
  const dataDir = path.join(temporary, 'data');
  const killed = await serve('--data_dir', dataDir);
  const jobs: string[] = [];
  for (let count = 0; count < 3; count++) {
    const response = await post(killed, '/v1/jobs');
    expect(response.status).toBe(202);
    jobs.push(jobSchema.parse(await response.json()).id);
  }
  server.kill('SIGKILL');
  await once(server, 'exit');
  expect(fs.existsSync(path.join(dataDir, 'lock'))).toBe(true);
  const url = await serve('--data_dir', dataDir);
  for (const id of jobs) {
    let job: Job | undefined;
    await until(async () => {
      job = jobSchema.parse(await (await fetch(`${url}/v1/jobs/${id}`)).json());
      return job.finished !== undefined;
    });
    expect(job).toMatchObject({ status: 'done', answer: { modalities: { face: { status: 'used' } } } });
    await until(() => fs.readdirSync(path.join(dataDir, 'jobs', id)).join() === 'job.json');
  }
  expect(fs.readdirSync(path.join(dataDir, 'uploads'))).toEqual([]);
});

test('clips that cannot be finished in time are refused before the connections go', async () => {
  const url = await serve('--drain_seconds', '0.1');
  const answers = Array.from({ length: 4 }, () => post(url));
  const uploads = path.join(temporary, dataFolders()[0]!, 'uploads');
  await until(() => fs.readdirSync(uploads, { recursive: true }).length === 8);
  server.kill('SIGTERM');
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(statuses).toContain(503);
  const [code] = server.exitCode === null ? await once(server, 'exit') : [server.exitCode];
  expect(code).toBe(0);
});

test('children of a server that was killed end by themselves', async () => {
  await serve();
  const children = childrenOf(server.pid!);
  expect(children.length).toBeGreaterThanOrEqual(2);
  server.kill('SIGKILL');
  await until(() => !children.some(lives));
});
