import fsp from 'node:fs/promises';
import path from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../serving/engine/engine.js';
import { readApiKeys } from '../../serving/http/api-keys.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { type TestApp, type TestAppOptions, testApp, testEngine } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';

const KEYS = { alice: 'alice-0123456789abcdef', bob: 'bob-0123456789abcdef' };
const FILE = `# who may come\nalice ${KEYS.alice}\n\nbob\t${KEYS.bob} # until May\n`;

let clips: TestClips;
let engine: Engine;
let guarded: TestApp;
let open: TestApp;

const readKeys = (text: string) =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'keys');
    await fsp.writeFile(file, text);
    return readApiKeys(file);
  });

beforeAll(async () => {
  clips = await testClips();
  engine = await testEngine();
  guarded = await testApp({ engine, apiKeys: await readKeys(FILE) });
  open = await testApp({ engine, corsOrigins: ['https://lab.example'] });
});

afterAll(async () => {
  await guarded.close();
  await open.close();
  await engine.dispose();
});

test('where there are keys the API is closed to all others, before any body is read', async () => {
  const calls = [
    request(guarded.app).post('/v1/predict').attach('clip', clips.soundless),
    request(guarded.app).post('/v1/jobs').attach('clip', clips.soundless),
    request(guarded.app).get('/v1/models'),
    request(guarded.app).get('/v1/models').set('Authorization', 'Bearer alice'),
    request(guarded.app).get('/v1/models').set('Authorization', `Basic ${KEYS.alice}`),
    request(guarded.app).get('/v1/models').set('X-API-Key', `${KEYS.alice}x`),
  ];
  for (const call of calls) {
    const { body, headers } = await call.expect(401);
    expect(body.error.code).toBe('unauthorized');
    expect(headers['www-authenticate']).toBe('Bearer');
  }
  expect(await fsp.readdir(guarded.uploadDir)).toEqual([]);
});

test('a key opens the API in either header, and its name is in the log', async () => {
  await request(guarded.app).get('/v1/models').set('X-API-Key', KEYS.bob).expect(200);
  const { headers } = await request(guarded.app)
    .post('/v1/predict')
    .set('Authorization', `Bearer ${KEYS.alice}`)
    .attach('clip', clips.soundless)
    .expect(200);
  const lines = guarded.logged.map((line) => JSON.parse(line));
  expect(lines.find((line) => line.requestId === headers['x-request-id'])).toMatchObject({ client: 'alice' });
  expect(guarded.logged.join()).not.toContain(KEYS.alice);
});

test('health, metrics, documents and the page need no key', async () => {
  for (const route of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs/', '/']) {
    await request(guarded.app).get(route).expect(200);
  }
});

test("a job is there for its own key alone, and not for another's", async () => {
  const post = request(guarded.app).post('/v1/jobs').set('X-API-Key', KEYS.alice);
  const { body } = await post.attach('clip', clips.soundless).expect(202);
  for (const route of [`/v1/jobs/${body.id}`, `/v1/jobs/${body.id}/events`]) {
    await request(guarded.app).get(route).set('X-API-Key', KEYS.bob).expect(404);
  }
  await request(guarded.app).delete(`/v1/jobs/${body.id}`).set('X-API-Key', KEYS.bob).expect(404);
  await request(guarded.app).get(`/v1/jobs/${body.id}`).set('X-API-Key', KEYS.alice).expect(200);
});

test('a file of keys is refused by line', async () => {
  for (const [text, message] of [
    ['alice short', /line 1: the key of alice is shorter/],
    [`${FILE}alice another-0123456789`, /line 5: the name alice comes twice/],
    [`one two three`, /line 1: not a name and a key/],
    ['# nobody', /holds no key/],
  ] as const) {
    await expect(readKeys(text)).rejects.toMatchObject({ code: 'bad_file', message: expect.stringMatching(message) });
  }
});

async function withApp(options: TestAppOptions, use: (app: TestApp['app']) => Promise<void>): Promise<void> {
  const other = await testApp({ engine, ...options });
  try {
    await use(other.app);
  } finally {
    await other.close();
  }
}

test('who sends too many clips in a minute is refused until then, each key by itself', async () => {
  const apiKeys = await readKeys(FILE);
  await withApp({ apiKeys, limits: { ratePerMinute: 2 } }, async (app) => {
    const post = (key: string) => request(app).post('/v1/predict').set('X-API-Key', key).attach('clip', clips.empty);
    await post(KEYS.alice).expect(422);
    await post(KEYS.alice).expect(422);
    const { body, headers } = await post(KEYS.alice).expect(429);
    expect(body.error.code).toBe('rate_limited');
    expect(Number(headers['retry-after'])).toBeGreaterThan(2);
    await post(KEYS.bob).expect(422);
    await request(app).get('/v1/models').set('X-API-Key', KEYS.alice).expect(200);
  });
});

test('without keys addresses are limited, and a proxy is believed only where it is trusted', async () => {
  const statuses = async (app: TestApp['app']) => {
    const found: number[] = [];
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      const post = request(app).post('/v1/predict').set('X-Forwarded-For', address).attach('clip', clips.empty);
      found.push((await post).status);
    }
    return found;
  };
  await withApp({ limits: { ratePerMinute: 1 } }, async (app) => expect(await statuses(app)).toEqual([422, 429]));
  await withApp({ limits: { ratePerMinute: 1 }, trustedProxies: 1 }, async (app) =>
    expect(await statuses(app)).toEqual([422, 422]),
  );
});

test('pages of other origins get at the API only where they are named', async () => {
  const allowed = await request(open.app).get('/v1/models').set('Origin', 'https://lab.example').expect(200);
  expect(allowed.headers['access-control-allow-origin']).toBe('https://lab.example');
  const preflight = await request(open.app).options('/v1/predict').set('Origin', 'https://lab.example').expect(204);
  expect(preflight.headers['access-control-allow-headers']).toContain('Authorization');
  for (const call of [
    request(open.app).get('/v1/models').set('Origin', 'https://other.example'),
    request(open.app).options('/v1/predict').set('Origin', 'https://other.example'),
    request(guarded.app).get('/health/live').set('Origin', 'https://lab.example'),
  ]) {
    expect(Object.keys((await call).headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

test('no cache between server and client keeps an answer', async () => {
  const { headers } = await request(open.app).post('/v1/predict').attach('clip', clips.soundless).expect(200);
  expect(headers['cache-control']).toBe('no-store');
});

test('every answer has the headers that browsers are to be kept safe by', async () => {
  for (const route of ['/v1/models', '/docs/', '/', '/nowhere']) {
    const { headers } = await request(open.app).get(route);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy, route).toMatch(/default-src '(none|self)'/);
    expect(policy, route).toContain("frame-ancestors 'none'");
    expect(policy, route).not.toContain('unsafe-eval');
    // A script that somebody brings into a page does not run.
    expect(policy.match(/script-src [^;]*/)?.[0] ?? '', route).not.toContain('unsafe-inline');
    expect(headers['permissions-policy'], route).toContain('camera=(self)');
    expect(headers, route).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    expect(headers, route).not.toHaveProperty('x-powered-by');
  }
});
