import path from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { PROJECT_ROOT } from '../../common/paths.js';
import { type TestApp, testApp } from '../helpers/test-app.js';
import { testClips } from '../helpers/test-clips.js';

const DASHBOARD = path.join(PROJECT_ROOT, 'docs', 'grafana-dashboard.json');

const dashboardSchema = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) })),
});

let server: TestApp;
let exported: string;

beforeAll(async () => {
  server = await testApp();
  const clips = await testClips();
  await request(server.app).post('/v1/predict').attach('clip', clips.whole).expect(200);
  exported = (await request(server.app).get('/metrics').expect(200)).text;
});

afterAll(() => server.close());

/** Each query of the dashboard: the name that it asks for, and the labels that it selects and groups by. */
async function queries(): Promise<{ name: string; labels: string[] }[]> {
  const { panels } = await readJson(DASHBOARD, dashboardSchema);
  return panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) =>
      [...expr.matchAll(/(mer_\w+)\{([^}]*)\}/g)].map(([, name, selectors]) => ({
        name: name!,
        labels: [...selectors!.matchAll(/(\w+)=/g)].map((match) => match[1]!).filter((label) => label !== 'job'),
      })),
    ),
  );
}

const series = (): string[] => [...exported.matchAll(/^# TYPE (\w+)/gm)].map((match) => match[1]!);

test('the dashboard asks only for metrics that the server has, and for all of them', async () => {
  const asked = (await queries()).map(({ name }) => name.replace(/_(bucket|sum|count)$/, ''));
  expect([...new Set(asked)].sort()).toEqual(series().sort());
});

test('histograms are asked for by their parts, all else by its name', async () => {
  const parts = series().flatMap((name) =>
    exported.includes(`# TYPE ${name} histogram`) ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  for (const { name } of await queries()) expect(parts).toContain(name);
});

test('the dashboard selects by labels that the metrics have', async () => {
  for (const { name, labels } of await queries()) {
    const line = exported.split('\n').find((candidate) => candidate.startsWith(`${name}{`)) ?? '';
    for (const label of labels) expect(line, `${name} ${label}`).toContain(`${label}="`);
  }
});

test('an answered clip fills the batch sizes, the stages and the time of the request', () => {
  expect(exported).toMatch(/mer_batch_clips_count [1-9]/);
  expect(exported).toMatch(/mer_views_total\{modality="face"\} [1-9]/);
  expect(exported).toContain('mer_http_request_seconds_count{route="POST /v1/predict"} 1');
  expect(exported).toMatch(/mer_model_info\{.*device="cpu"\} 1/);
});
