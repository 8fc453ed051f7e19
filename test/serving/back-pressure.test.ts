import fsp from 'node:fs/promises';
import path from 'node:path';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { FORM_END, FORM_HEAD, RawClient, type TestServer, testServer, uploadHead } from '../helpers/test-server.js';

let clips: TestClips;
let server: TestServer;
const clients: RawClient[] = [];
const MAX_CONNECTIONS = 20;

beforeAll(async () => {
  clips = await testClips();
  // One clip is worked on and none may wait; the disk has room for one large form.
  server = await testServer({ maxQueue: 0, maxDiskMb: 9, maxConnections: MAX_CONNECTIONS });
});

afterAll(() => server.close());

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await until(async () => (await uploads()).length === 0);
  await until(async () => (await metric('mer_clips_in_work')) === 0);
  expect(await metric('mer_disk_bytes')).toBe(0);
});

const uploads = (): Promise<string[]> => fsp.readdir(path.join(server.dataDir, 'uploads'));

async function metric(name: string): Promise<number> {
  const { text } = await request(server.url).get('/metrics').expect(200);
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

async function connect(): Promise<RawClient> {
  const client = await RawClient.connect(server.port);
  clients.push(client);
  return client;
}

/** A client whose upload has begun and does not end. */
async function holdPlace(route = '/v1/predict', bytes = 100_000): Promise<RawClient> {
  const client = await connect();
  await client.send(uploadHead(bytes, [], route) + FORM_HEAD);
  await until(async () => (await uploads()).length > 0);
  return client;
}

test('a full queue refuses at the head of a request, before any of the body came', async () => {
  await holdPlace();
  const client = await connect();
  await client.send(uploadHead(1_000_000));
  await until(() => client.received.includes('\r\n\r\n'));
  expect(client.received).toMatch(/^HTTP\/1\.1 429 /);
  expect(client.received).toMatch(/\r\nRetry-After: [1-9]\d*\r\n/);
  await until(() => client.received.includes('"overloaded"'));
});

test('a client that sends its whole body before it listens finds the 429, not a reset', async () => {
  await holdPlace();
  const client = await connect();
  client.pause();
  const body = Buffer.concat([Buffer.from(FORM_HEAD), Buffer.alloc(4_000_000), Buffer.from(FORM_END)]);
  await client.send(uploadHead(body.length));
  for (let start = 0; start < body.length; start += 65_536) await client.send(body.subarray(start, start + 65_536));
  client.resume();
  await until(() => client.received.includes('"overloaded"'));
  expect(client.received).toMatch(/^HTTP\/1\.1 429 /);
});

test('a client that asks before it sends gets the 429 instead of the leave to send', async () => {
  const holder = await holdPlace();
  const refused = await connect();
  await refused.send(uploadHead(1_000_000, ['Expect: 100-continue']));
  await refused.closed;
  expect(refused.received).toMatch(/^HTTP\/1\.1 429 /);
  holder.destroy();
  await until(async () => (await metric('mer_clips_in_work')) === 0);
  const admitted = await connect();
  await admitted.send(uploadHead(1_000_000, ['Expect: 100-continue']));
  await until(() => admitted.received !== '');
  expect(admitted.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
});

test('a form that the disk has no room for is refused, and one that it has room for is not', async () => {
  // Jobs do not take places in the queue.
  await holdPlace('/v1/jobs', 8 * 2 ** 20);
  const large = await connect();
  await large.send(uploadHead(2 * 2 ** 20, [], '/v1/jobs'));
  await until(() => large.received.includes('"overloaded"'));
  expect(large.received).toContain('disk');
  await request(server.url).post('/v1/predict').attach('clip', clips.soundless).expect(200);
});

test('a client that goes while it sends is counted as dropped, and its place is free again', async () => {
  const dropped = 'mer_dropped_total{stage="upload"}';
  const client = await holdPlace();
  const before = (await metric(dropped)) || 0;
  client.destroy();
  await until(async () => (await metric(dropped)) === before + 1);
  await until(async () => (await metric('mer_clips_in_work')) === 0);
  await request(server.url).post('/v1/predict').attach('clip', clips.soundless).expect(200);
});

test('a client that goes while its clip is worked on is counted as dropped, and its place is free again', async () => {
  const dropped = 'mer_dropped_total{stage="preprocessing"}';
  const [pid] = server.engine.pids.preprocessing;
  // The clip cannot be answered before its client has gone.
  process.kill(pid!, 'SIGSTOP');
  const clip = await fsp.readFile(clips.whole);
  const client = await connect();
  await client.send(uploadHead(FORM_HEAD.length + clip.length + FORM_END.length) + FORM_HEAD);
  await client.send(Buffer.concat([clip, Buffer.from(FORM_END)]));
  await until(async () => (await metric('mer_disk_bytes')) === clip.length);
  client.destroy();
  await until(async () => (await metric(dropped)) === 1);
  process.kill(pid!, 'SIGCONT');
  await until(async () => (await metric('mer_clips_in_work')) === 0);
  await request(server.url).post('/v1/predict').attach('clip', clips.soundless).expect(200);
});

test('there are only so many connections', async () => {
  let closed = 0;
  for (let count = 0; count < MAX_CONNECTIONS + 1; count++) {
    void (await connect()).closed.then(() => closed++);
  }
  await until(() => closed > 0);
});

test('who was refused is counted by code', async () => {
  expect(await metric('mer_refused_total{code="overloaded"}')).toBeGreaterThanOrEqual(3);
});
