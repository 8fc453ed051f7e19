import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeJsonAtomic } from '../../common/files.js';
import type { Engine } from '../../serving/engine/engine.js';
import { type Job, jobSchema, type StoredJob } from '../../serving/jobs/job.js';
import { parseEvents } from '../helpers/jobs.js';
import { someWords, type TestApp, type TestAppOptions, testApp, testEngine, until } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';

let clips: TestClips;
let engine: Engine;
let server: TestApp;

beforeAll(async () => {
  clips = await testClips();
  engine = await testEngine();
  server = await testApp({ engine });
});

afterAll(async () => {
  await server.close();
  await engine.dispose();
});

// Each test begins with an engine that does nothing.
beforeEach(() => until(() => server.service.jobs.counts.running === 0));

async function submit(clip: string, app = server.app): Promise<Job> {
  const response = await request(app).post('/v1/jobs').attach('clip', clip).expect(202);
  expect(response.headers.location).toBe(`/v1/jobs/${response.body.id}`);
  return jobSchema.parse(response.body);
}

async function read({ id }: Job, app = server.app): Promise<Job> {
  return jobSchema.parse((await request(app).get(`/v1/jobs/${id}`).expect(200)).body);
}

async function end(job: Job, app = server.app): Promise<Job> {
  let state = job;
  await until(async () => {
    state = await read(job, app);
    return state.finished !== undefined;
  });
  return state;
}

const filesOf = ({ id }: Job, dataDir = server.dataDir): Promise<string[]> =>
  fsp.readdir(path.join(dataDir, 'jobs', id));

async function withApp(options: TestAppOptions, use: (other: TestApp) => Promise<void>): Promise<void> {
  const other = await testApp({ engine, ...options });
  try {
    await use(other);
  } finally {
    await other.close();
  }
}

test('a job is accepted, and its answer is that of POST /v1/predict', async () => {
  const words = JSON.stringify(someWords(1));
  const accepted = await request(server.app)
    .post('/v1/jobs')
    .attach('clip', clips.whole)
    .field('words', words)
    .expect(202);
  const job = await end(jobSchema.parse(accepted.body));
  expect(job).toMatchObject({ status: 'done', finished: expect.any(String), expires: expect.any(String) });
  const direct = await request(server.app).post('/v1/predict').attach('clip', clips.whole).field('words', words);
  const { timings: _, ...answer } = direct.body;
  expect(job.answer).toMatchObject(answer);
  await until(async () => (await filesOf(job)).join() === 'job.json');
});

test('the events of a job tell its stages in order and end with the answer', async () => {
  const job = await submit(clips.whole);
  const { text, headers } = await request(server.app).get(`/v1/jobs/${job.id}/events`).buffer(true).expect(200);
  expect(headers['content-type']).toContain('text/event-stream');
  const events = parseEvents(text);
  const last = events.pop();
  expect(last).toMatchObject({ event: 'done', job: { id: job.id, status: 'done', answer: expect.any(Object) } });
  expect(events.map(({ event }) => event)).toEqual(events.map(() => 'progress'));
  const order = ['queued', 'decode', 'audio', 'faces', 'inference'];
  const stages = events.map(({ job: { stage } }) => order.indexOf(stage ?? ''));
  expect(stages).toEqual([...stages].sort());
  expect(await read(job)).toEqual(last?.job);
});

test('the events of a job that is over are its end alone', async () => {
  const job = await end(await submit(clips.soundless));
  const { text } = await request(server.app).get(`/v1/jobs/${job.id}/events`).buffer(true).expect(200);
  expect(parseEvents(text)).toEqual([{ event: 'done', job }]);
});

test('a clip that is refused fails its job with the error that POST /v1/predict answers', async () => {
  const job = await end(await submit(clips.text));
  const direct = await request(server.app).post('/v1/predict').attach('clip', clips.text).expect(415);
  expect(job).toMatchObject({ status: 'failed', error: direct.body.error });
  expect(JSON.stringify(job)).not.toContain(server.dataDir);
});

test('jobs that wait and jobs that run can be cancelled, and their clips are gone', async () => {
  const [running, waiting] = [await submit(clips.whole), await submit(clips.whole)];
  for (const job of [waiting, running]) {
    const cancelled = await request(server.app).delete(`/v1/jobs/${job.id}`).expect(200);
    expect(cancelled.body).toMatchObject({ id: job.id, status: 'cancelled' });
  }
  for (const job of [waiting, running]) {
    await until(async () => (await filesOf(job)).join() === 'job.json');
    expect(await read(job)).toMatchObject({ status: 'cancelled' });
  }
  // The space is given back a moment after the files are gone.
  await until(() => server.service.intake.disk.used === 0);
  // The engine is free for the next one.
  expect(await end(await submit(clips.soundless))).toMatchObject({ status: 'done' });
});

test('cancelling a job that is over leaves it as it is', async () => {
  const job = await end(await submit(clips.soundless));
  expect((await request(server.app).delete(`/v1/jobs/${job.id}`).expect(200)).body).toEqual(job);
});

test('a job that was never accepted is not found', async () => {
  for (const id of [crypto.randomUUID(), '..%2f..%2flock']) {
    const { body } = await request(server.app).get(`/v1/jobs/${id}`).expect(404);
    expect(body.error.code).toBe('not_found');
  }
});

test('a form without a clip is refused and leaves no job', async () => {
  const before = await fsp.readdir(path.join(server.dataDir, 'jobs'));
  await request(server.app).post('/v1/jobs').field('words', '[]').expect(400);
  expect(await fsp.readdir(path.join(server.dataDir, 'jobs'))).toEqual(before);
  expect(await fsp.readdir(server.uploadDir)).toEqual([]);
});

test('finished jobs expire', () =>
  withApp({ limits: { jobRetentionSeconds: 1 } }, async (other) => {
    const job = await end(await submit(clips.soundless, other.app), other.app);
    await until(async () => (await request(other.app).get(`/v1/jobs/${job.id}`)).status === 404);
    await until(async () => (await fsp.readdir(path.join(other.dataDir, 'jobs'))).length === 0);
  }));

test('where all places are taken the oldest finished job makes room, and none that is not over', () =>
  withApp({ limits: { maxJobs: 2 } }, async (other) => {
    const [first, second] = [await submit(clips.whole, other.app), await submit(clips.whole, other.app)];
    const { body } = await request(other.app).post('/v1/jobs').attach('clip', clips.soundless).expect(429);
    expect(body.error.code).toBe('overloaded');
    await end(first, other.app);
    const third = await submit(clips.soundless, other.app);
    await request(other.app).get(`/v1/jobs/${first.id}`).expect(404);
    expect(await end(second, other.app)).toMatchObject({ status: 'done' });
    expect(await end(third, other.app)).toMatchObject({ status: 'done' });
  }));

test('uploads stay on disk only where that was asked for', () =>
  withApp({ keep: 'failed' }, async (other) => {
    await request(other.app).post('/v1/predict').attach('clip', clips.soundless).expect(200);
    await end(await submit(clips.soundless, other.app), other.app);
    const refused = await request(other.app).post('/v1/predict').attach('clip', clips.text).expect(415);
    const failed = await end(await submit(clips.nothing, other.app), other.app);
    const kept = path.join(other.dataDir, 'kept');
    await until(async () => (await fsp.readdir(kept)).length === 2);
    expect((await fsp.readdir(kept)).sort()).toEqual([refused.headers['x-request-id'], failed.id].sort());
    expect(await fsp.readFile(path.join(kept, failed.id, 'clip'))).toEqual(await fsp.readFile(clips.nothing));
  }));

test('a clip that ended the server again and again is reported, and not tried for ever', async () => {
  const dataDir = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-data-'));
  try {
    const id = crypto.randomUUID();
    const stored: StoredJob = {
      id,
      status: 'running',
      created: new Date().toISOString(),
      starts: 3,
      clip: 'clip',
      settings: {},
    };
    await writeJsonAtomic(path.join(dataDir, 'jobs', id, 'job.json'), stored);
    await fsp.copyFile(clips.whole, path.join(dataDir, 'jobs', id, 'clip'));
    await withApp({ dataDir }, async (other) => {
      const { body } = await request(other.app).get(`/v1/jobs/${id}`).expect(200);
      expect(body).toMatchObject({ status: 'failed', error: { code: 'internal' } });
      expect(await fsp.readdir(path.join(dataDir, 'jobs', id))).toEqual(['job.json']);
    });
  } finally {
    await fsp.rm(dataDir, { recursive: true });
  }
});
