import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeNpz } from '../../common/npz.js';
import { type Answer, answerSchema } from '../../serving/answer.js';
import { someWords, type TestApp, testApp } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';

let server: TestApp;
let clips: TestClips;

beforeAll(async () => {
  clips = await testClips();
  server = await testApp();
});

afterAll(() => server.close());

async function predict(clip: string, words?: Buffer): Promise<Answer> {
  const post = request(server.app).post('/v1/predict').attach('clip', clip);
  if (words !== undefined) post.attach('words', words, 'words');
  const response = await post.expect(200);
  return answerSchema.parse(response.body);
}

const jsonWords = (seed: number): Buffer => Buffer.from(JSON.stringify(someWords(seed)));

test('a clip with face, voice and words is answered from all three', async () => {
  const answer = await predict(clips.whole, jsonWords(1));
  const { face, speech, text } = answer.modalities;
  for (const part of [answer, face, speech, text]) {
    if (!('scores' in part)) throw new Error(part.reason);
    // Softmax in float64: the sum of seven is exact to a few rounding errors.
    expect(Object.values(part.scores).reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 12);
    expect(Math.max(...Object.values(part.scores))).toBe(part.scores[part.emotion]);
  }
  expect(answer.confidence).toBe(answer.scores[answer.emotion]);
  expect(answer.model).toEqual({ name: 'tiny', version: server.engine.bundle.version, device: 'cpu' });
  expect(answer.seconds.used).toBeGreaterThan(1);
  expect(answer.seconds.used).toBeLessThanOrEqual(answer.seconds.clip);
  expect(answer.timings.total).toBeGreaterThan(answer.timings.inference);
});

test('the same clip twice gives the same answer', async () => {
  const [first, second] = [await predict(clips.whole, jsonWords(1)), await predict(clips.whole, jsonWords(1))];
  const { timings: _, ...answer } = first;
  expect(second).toMatchObject(answer);
});

test('other words change the scores of the text and of no other modality', async () => {
  const [first, second] = [await predict(clips.whole, jsonWords(1)), await predict(clips.whole, jsonWords(2))];
  expect(second.modalities.text).not.toEqual(first.modalities.text);
  expect(second.modalities.face).toEqual(first.modalities.face);
  expect(second.modalities.speech).toEqual(first.modalities.speech);
  expect(second.scores).not.toEqual(first.scores);
});

test('words are the same as npz file, as JSON file and as JSON text field', async () => {
  const words = someWords(1);
  const npz = encodeNpz({ word_embed: { dtype: 'float32', shape: [5, 24], data: Float32Array.from(words.flat()) } });
  const asJson = await predict(clips.whole, jsonWords(1));
  const asNpz = await predict(clips.whole, Buffer.from(npz));
  const field = request(server.app)
    .post('/v1/predict')
    .attach('clip', clips.whole)
    .field('words', JSON.stringify(words));
  const asField = answerSchema.parse((await field.expect(200)).body);
  expect(asNpz.modalities.text).toEqual(asJson.modalities.text);
  expect(asField.modalities.text).toEqual(asJson.modalities.text);
});

test('without words the text is missing, with the reason', async () => {
  const { text, face, speech } = (await predict(clips.whole)).modalities;
  expect(text).toEqual({ status: 'missing', reason: 'no word vectors were given' });
  expect([face.status, speech.status]).toEqual(['used', 'used']);
});

test('a clip without sound is answered from the face', async () => {
  const { modalities } = await predict(clips.soundless);
  expect(modalities.face.status).toBe('used');
  expect(modalities.speech).toEqual({ status: 'missing', reason: 'the clip has no sound' });
});

test('a clip without a face is answered from the voice', async () => {
  const { modalities } = await predict(clips.faceless);
  expect(modalities.speech.status).toBe('used');
  expect(modalities.face).toMatchObject({ status: 'missing', reason: expect.stringContaining('no face') });
});

test('sound without pictures is answered from the voice', async () => {
  const { modalities } = await predict(clips.pictureless);
  expect(modalities.speech.status).toBe('used');
  expect(modalities.face.status).toBe('missing');
});

test('words alone are enough for a clip that has neither face nor sound', async () => {
  const { modalities } = await predict(clips.nothing, jsonWords(1));
  expect(modalities.text.status).toBe('used');
  expect([modalities.face.status, modalities.speech.status]).toEqual(['missing', 'missing']);
});
