import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestApp, testApp } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';

let server: TestApp;
let clips: TestClips;

beforeAll(async () => {
  clips = await testClips();
  server = await testApp();
});

afterAll(() => server.close());

const metrics = async (): Promise<string> => (await request(server.app).get('/metrics').expect(200)).text;

test('liveness answers', async () => {
  await request(server.app).get('/health/live').expect(200, { status: 'live' });
});

test('readiness names the model and the device', async () => {
  const { name, version } = server.engine.bundle;
  await request(server.app)
    .get('/health/ready')
    .expect(200, { status: 'ready', model: { name, version, device: 'cpu' } });
});

test('metrics count requests by status, stages, modalities and emotions', async () => {
  await request(server.app).post('/v1/predict').attach('clip', clips.soundless).expect(200);
  await request(server.app).post('/v1/predict').attach('clip', clips.empty).expect(422);
  const text = await metrics();
  expect(text).toContain('mer_http_requests_total{route="POST /v1/predict",status="200"} 1');
  expect(text).toContain('mer_http_requests_total{route="POST /v1/predict",status="422"} 1');
  for (const stage of ['decode', 'audio', 'faces', 'inference', 'total']) {
    expect(text).toContain(`mer_stage_seconds_count{stage="${stage}"} 1`);
  }
  expect(text).toContain('mer_modality_total{modality="face",status="used"} 1');
  expect(text).toContain('mer_modality_total{modality="speech",status="missing"} 1');
  expect(text).toMatch(/mer_emotion_total\{emotion="\w{3}"\} 1/);
  expect(text).toContain('mer_queue_length{stage="preprocessing"} 0');
  expect(text).toContain('mer_engine_ready 1');
  expect(text).toMatch(/mer_event_loop_delay_seconds\{quantile="0.99"\} \d/);
});

test('all metrics bear the prefix of this project', async () => {
  const names = (await metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(names.filter((name) => !name.startsWith('mer_'))).toEqual([]);
});

test('paths that clients make up do not become labels', async () => {
  await request(server.app).get('/wp-login.php').expect(404);
  const text = await metrics();
  expect(text).toContain('mer_http_requests_total{route="other",status="404"} 1');
  expect(text).not.toContain('wp-login');
});

test('the id of a request is in its answer and in its log lines, and no media is logged', async () => {
  const response = await request(server.app).post('/v1/predict').attach('clip', clips.text).expect(415);
  const id = response.headers['x-request-id'];
  const lines = server.logged.filter((line) => JSON.parse(line).requestId === id);
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('request');
  expect(lines.join()).not.toContain('This is not a video');
});
