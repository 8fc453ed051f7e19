import fsp from 'node:fs/promises';
import path from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../common/paths.js';
import { openApiDocument } from '../../serving/http/openapi.js';
import { type TestApp, testApp } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';

const DOCUMENT_FILE = path.join(PROJECT_ROOT, 'docs', 'openapi.json');
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

let clips: TestClips;
let server: TestApp;

beforeAll(async () => {
  clips = await testClips();
  server = await testApp();
});

afterAll(() => server.close());

/** What the document says, with the schemas as clients read them: a field that is not named is one too many. */
const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) }))),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});
const document = documentSchema.parse(openApiDocument());

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => [
    key,
    key === '$ref' ? String(value).replace('#/components/schemas/', '#/$defs/') : strict(value),
  ]);
  const whole = Object.fromEntries(entries);
  return 'properties' in whole ? { ...whole, additionalProperties: false } : whole;
}

/** Checks a body against the schema that the document states for its route and status. */
function validate(method: string, route: string, { status, body }: request.Response): void {
  const stated = z
    .object({ content: z.object({ 'application/json': z.object({ schema: z.unknown() }) }) })
    .parse(document.paths[route]?.[method]?.responses[status], { error: () => `${method} ${route}: no ${status}` });
  const schema = {
    ...(strict(stated.content['application/json'].schema) as object),
    $defs: strict(document.components.schemas),
  };
  const check = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  expect(check.safeParse(body).error?.issues, `${method} ${route} ${status}`).toBeUndefined();
}

const layerSchema = z.object({
  route: z.object({ path: z.string(), methods: z.record(z.string(), z.boolean()) }).optional(),
  handle: z.unknown(),
});
const routerSchema = z.custom<{ stack: unknown[] }>((value) => typeof value === 'function' && 'stack' in value);

/** The routes of the app and of the routers within it, as the document writes them. */
function routesOf(router: unknown): string[] {
  const inner = routerSchema.safeParse(router);
  if (!inner.success) return [];
  return inner.data.stack.flatMap((raw) => {
    const { route, handle } = layerSchema.parse(raw);
    if (route === undefined) return routesOf(handle);
    const name = route.path.replace(/:(\w+)/g, '{$1}');
    return METHODS.filter((method) => route.methods[method]).map((method) => `${method} ${name}`);
  });
}

test('every route of the app is in the document, and the reverse', () => {
  const documented = Object.entries(document.paths).flatMap(([name, methods]) =>
    Object.keys(methods).map((method) => `${method} ${name}`),
  );
  // The page is for people.
  const served = routesOf(server.app.router).filter((route) => route !== 'get /');
  expect(served.length).toBeGreaterThan(10);
  expect(served.sort()).toEqual(documented.sort());
});

test('docs/openapi.json is the document: npx tsx scripts/write-serving-docs.ts writes it', async () => {
  expect(JSON.parse(await fsp.readFile(DOCUMENT_FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  expect((await request(server.app).get('/openapi.json').expect(200)).body).toEqual(
    JSON.parse(JSON.stringify(openApiDocument())),
  );
});

test('what the server answers is what the document says', async () => {
  const { app } = server;
  const post = (route: string, clip: string) => request(app).post(route).attach('clip', clip);
  for (const clip of [clips.whole, clips.soundless]) {
    validate('post', '/v1/predict', await post('/v1/predict', clip).expect(200));
  }
  const timeline = post('/v1/predict', clips.whole).field('window', '1').field('tta', 'default');
  validate('post', '/v1/predict', await timeline.expect(200));
  validate('post', '/v1/predict', await post('/v1/predict', clips.text).expect(415));
  validate('post', '/v1/predict', await post('/v1/predict', clips.empty).expect(422));
  validate('post', '/v1/predict', await request(app).post('/v1/predict').expect(400));
  const accepted = await post('/v1/jobs', clips.whole).expect(202);
  validate('post', '/v1/jobs', accepted);
  validate('post', '/v1/jobs', await request(app).post('/v1/jobs').expect(400));
  const job = `/v1/jobs/${accepted.body.id}`;
  validate('get', '/v1/jobs/{id}', await request(app).get(job).expect(200));
  await request(app).get(`${job}/events`).buffer(true).expect(200);
  validate('get', '/v1/jobs/{id}', await request(app).get(job).expect(200));
  validate('delete', '/v1/jobs/{id}', await request(app).delete(job).expect(200));
  validate('get', '/v1/jobs/{id}', await request(app).get('/v1/jobs/none').expect(404));
  for (const route of ['/v1/models', '/health/live', '/health/ready', '/v2/health/live', '/v2/health/ready']) {
    validate('get', route, await request(app).get(route).expect(200));
  }
});

test('a body that the document does not describe is found out', () => {
  const wrong = { status: 200, body: { status: 'live', since: 3 } } as request.Response;
  expect(() => validate('get', '/health/live', wrong)).toThrow();
});

test('wrong settings of an answer are refused by name', async () => {
  for (const [field, value] of [
    ['tta', 'many'],
    ['window', 'long'],
    ['window', '100'],
    ['hop', '1'],
  ] as const) {
    const post = request(server.app).post('/v1/predict').attach('clip', clips.soundless).field(field, value);
    const { body } = await post.expect(400);
    expect(body.error).toMatchObject({ code: 'bad_field', message: expect.stringContaining(field) });
  }
});

test('the page of the document asks no other server for anything', async () => {
  const { text } = await request(server.app).get('/docs/').expect(200);
  const urls = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  expect(urls.length).toBeGreaterThan(3);
  for (const url of urls) {
    expect(url).toMatch(/^\.\//);
    await request(server.app)
      .get(`/docs/${url.slice(2)}`)
      .expect(200);
  }
  await request(server.app).get('/docs').expect(301).expect('Location', '/docs/');
  expect((await request(server.app).get('/docs/swagger-ui-init.js').expect(200)).text).toContain(
    '"validatorUrl": null',
  );
});
