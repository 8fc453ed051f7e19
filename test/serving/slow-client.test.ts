import fsp from 'node:fs/promises';
import path from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../helpers/test-app.js';
import { FORM_HEAD, RawClient, type TestServer, testServer, uploadHead } from '../helpers/test-server.js';

let server: TestServer;

beforeAll(async () => {
  server = await testServer({ headersTimeoutSeconds: 1, requestTimeoutSeconds: 2, maxQueue: 0 });
});

afterAll(() => server.close());

/** Sends a byte now and then for as long as the server listens. */
async function dribble(client: RawClient): Promise<void> {
  const timer = setInterval(() => void client.send('x'), 100);
  await client.closed;
  clearInterval(timer);
}

test('a client that never ends the head of its request is cut off', async () => {
  const client = await RawClient.connect(server.port);
  await client.send('POST /v1/predict HTTP/1.1\r\nHost: test\r\nX-Slow: ');
  await dribble(client);
  expect(client.received).toMatch(/^(HTTP\/1\.1 408 |$)/);
});

test('a client that never ends its upload is cut off, and leaves neither file nor place', async () => {
  const client = await RawClient.connect(server.port);
  await client.send(uploadHead(1_000_000) + FORM_HEAD);
  const uploads = (): Promise<string[]> => fsp.readdir(path.join(server.dataDir, 'uploads'));
  await until(async () => (await uploads()).length === 1);
  await dribble(client);
  await until(async () => (await uploads()).length === 0);
  const { text } = await request(server.url).get('/metrics').expect(200);
  expect(text).toContain('mer_clips_in_work 0');
  expect(text).toContain('mer_disk_bytes 0');
  expect(text).toContain('mer_dropped_total{stage="upload"} 1');
});
