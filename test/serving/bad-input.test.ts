import fsp from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import request, { type Test } from 'supertest';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { someWords, type TestApp, testApp, until } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';

let server: TestApp;
let clips: TestClips;

beforeAll(async () => {
  clips = await testClips();
  server = await testApp();
});

afterAll(() => server.close());

afterEach(async () => {
  expect(await fsp.readdir(server.uploadDir)).toEqual([]);
  expect(server.engine.ready).toBe(true);
  await request(server.app).get('/health/ready').expect(200);
});

const post = (): Test => request(server.app).post('/v1/predict');

/** Every refusal has the same form, and tells nothing of the server's folders. */
async function refused(test: Test, status: number, code: string): Promise<{ message: string; remedy: string }> {
  const response = await test;
  expect(response.body).toEqual({ error: { code, message: expect.any(String), remedy: expect.stringMatching(/\.$/) } });
  expect(response.status).toBe(status);
  expect(response.type).toBe('application/json');
  expect(JSON.stringify(response.body)).not.toContain(server.uploadDir);
  return response.body.error;
}

test('text that calls itself .mp4 is refused', () =>
  refused(post().attach('clip', clips.text), 415, 'unsupported_media'));

test('a transcript is refused where no word table is open, with the remedy', async () => {
  const { remedy } = await refused(
    post().attach('clip', clips.soundless).field('transcript', 'clip'),
    422,
    'bad_words',
  );
  expect(remedy).toContain('--word_vectors');
});

test('words and a transcript at once are refused', () =>
  refused(
    post()
      .attach('clip', clips.soundless)
      .field('words', JSON.stringify(someWords(1)))
      .field('transcript', 'happy'),
    400,
    'bad_field',
  ));

test('a transcript of a book is refused', () =>
  refused(post().attach('clip', clips.soundless).field('transcript', 'a '.repeat(60_000)), 400, 'bad_field'));

test('an empty file is refused', () => refused(post().attach('clip', clips.empty), 422, 'empty_file'));

test('a truncated MP4 is refused', () => refused(post().attach('clip', clips.truncated), 422, 'truncated_media'));

test('random bytes with the head of an MP4 are refused', async () => {
  const head = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2', 'latin1');
  const noise = Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * i * 31) & 255));
  await refused(post().attach('clip', Buffer.concat([head, noise]), 'clip.mp4'), 422, 'undecodable_media');
});

test('a clip in which nothing can be used is refused', () =>
  refused(post().attach('clip', clips.nothing), 422, 'nothing_to_score'));

test('a file over the size limit is refused', async () => {
  const { remedy } = await refused(post().attach('clip', Buffer.alloc(2 ** 20 + 1), 'clip.mp4'), 413, 'too_large');
  expect(remedy).toContain('--max_upload_mb');
});

test('a body far over the size limit is refused before it is read', () =>
  refused(post().attach('clip', Buffer.alloc(3 * 2 ** 20), 'clip.mp4'), 413, 'too_large'));

test('a file of exactly the size limit is not too large', () =>
  refused(post().attach('clip', Buffer.alloc(2 ** 20), 'clip.mp4'), 415, 'unsupported_media'));

test('a wrong field name is refused, by name', async () => {
  const { message } = await refused(post().attach('video', clips.whole), 400, 'bad_field');
  expect(message).toContain('video');
});

test('a second clip is refused', () =>
  refused(post().attach('clip', clips.whole).attach('clip', clips.whole), 400, 'bad_field'));

test('an unknown text field is refused, by name', async () => {
  const { message } = await refused(post().attach('clip', clips.whole).field('wrods', '[]'), 400, 'bad_field');
  expect(message).toContain('wrods');
});

test('a form without a clip is refused', () => refused(post().field('words', '[]'), 400, 'bad_field'));

test('a body that is no form is refused', () => refused(post().send({ clip: 'me.mp4' }), 400, 'bad_field'));

test('a form that ends too early is refused', () =>
  refused(
    post()
      .set('Content-Type', 'multipart/form-data; boundary=edge')
      .send('--edge\r\nContent-Disposition: form-data; name="clip"; filename="a"\r\n\r\nabc'),
    400,
    'bad_field',
  ));

test('words of the wrong dimension are refused with both dimensions', async () => {
  const words = Buffer.from(JSON.stringify(someWords(1, 25)));
  const { message } = await refused(post().attach('clip', clips.whole).attach('words', words, 'w'), 422, 'bad_words');
  expect(message).toMatch(/25.*24/);
});

test('words that are neither npz nor JSON are refused', () =>
  refused(post().attach('clip', clips.whole).attach('words', clips.text), 422, 'bad_words'));

test('an unknown path is a JSON 404', () => refused(request(server.app).get('/v1/predict'), 404, 'not_found'));

test('a client that goes in the middle of its upload leaves nothing', async () => {
  const listening = http.createServer(server.app).listen(0);
  const { port } = listening.address() as AddressInfo;
  const upload = http.request({
    port,
    method: 'POST',
    path: '/v1/predict',
    headers: { 'Content-Type': 'multipart/form-data; boundary=edge', 'Content-Length': 500_000 },
  });
  upload.on('error', () => {});
  upload.write('--edge\r\nContent-Disposition: form-data; name="clip"; filename="a.mp4"\r\n\r\n');
  upload.write(Buffer.alloc(100_000));
  await until(async () => (await fsp.readdir(server.uploadDir)).length === 1);
  upload.destroy();
  await until(async () => (await fsp.readdir(server.uploadDir)).length === 0);
  await new Promise((resolve) => listening.close(resolve));
});

test('a client that goes while its clip is worked on leaves nothing', async () => {
  const listening = http.createServer(server.app).listen(0);
  const { port } = listening.address() as AddressInfo;
  const clip = await fsp.readFile(clips.whole);
  const upload = http.request({
    port,
    method: 'POST',
    path: '/v1/predict',
    headers: { 'Content-Type': 'multipart/form-data; boundary=edge' },
  });
  upload.on('error', () => {});
  upload.write('--edge\r\nContent-Disposition: form-data; name="clip"; filename="a.mp4"\r\n\r\n');
  upload.end(Buffer.concat([clip, Buffer.from('\r\n--edge--\r\n')]));
  await until(async () => (await fsp.readdir(server.uploadDir, { recursive: true })).length === 2);
  upload.destroy();
  await until(async () => (await fsp.readdir(server.uploadDir)).length === 0);
  await new Promise((resolve) => listening.close(resolve));
});
