import { expect, test } from 'vitest';
import { Random } from '../../common/random.js';
import type { ClipFeatures } from '../../preprocessing/features.js';
import { evaluationInputs, fitSpeech, type InputSpec } from '../../preprocessing/model-inputs.js';
import { requireTimeline } from '../../serving/engine/predict-options.js';
import { planClip, type Window, windowsOf } from '../../serving/engine/windows.js';

const SPEC: InputSpec & { maxFrames: number } = {
  ...{ compat: 'default', faceSize: 32, wordDim: 3, maxWords: 4, maxFrames: 8 },
};
const ALL = { spec: SPEC, modalities: ['speech', 'face', 'text'], seedFrames: 16 } as const;
const FRAME = 32 * 32 * 3;

/** A clip of so many seconds with sound from `start` on; faces at an even rate. */
function makeClip(seconds: number, facesPerSecond: number, start = 0): ClipFeatures {
  const random = Random.for(1, 'windows');
  const frames = 1 + Math.floor(seconds * 62.5);
  const faces = Math.round(seconds * facesPerSecond);
  return {
    speech: { status: 'used', data: Float32Array.from({ length: 128 * frames }, () => random.uniform()), frames },
    face: {
      status: 'used',
      data: Uint8Array.from({ length: faces * 224 * 224 * 3 }, (_, i) => Math.floor(i / (224 * 224 * 3)) % 256),
      frames: faces,
      times: Array.from({ length: faces }, (_, i) => start + (i + 0.5) / facesPerSecond),
    },
    text: { status: 'used', data: new Float32Array(15), words: 5, dim: 3 },
    duration: start + seconds,
    span: { start, end: start + seconds },
  };
}

/** The face frames of a window, one after the other. */
function facesOf(plan: ReturnType<typeof planClip>, { face }: Window): Buffer {
  const frame = (at: number) =>
    at < 0 ? new Uint8Array(FRAME) : plan.inputs.face!.data.subarray(at * FRAME, (at + 1) * FRAME);
  return Buffer.concat((face ?? []).map(frame));
}

for (const compat of ['default', 'seed'] as const) {
  test(`a short clip in compat ${compat} is one window with what training's evaluation sees of it`, () => {
    const clip = makeClip(compat === 'seed' ? 7 : 5, 2);
    const spec = { ...SPEC, compat };
    const plan = planClip(clip, { ...ALL, spec });
    const { speech, face, text } = evaluationInputs(clip, spec, ALL.seedFrames);
    expect(plan.windows).toHaveLength(1);
    const [window] = plan.windows;
    const { data, length } = plan.inputs.speech!;
    expect(fitSpeech(data, length, window!.speech!.start, compat, window!.speech!.frames)).toEqual(speech);
    expect(facesOf(plan, window!).equals(face!.data)).toBe(true);
    expect(plan.inputs.text).toEqual(text);
  });
}

test('a long clip has windows of 6.4 s every 3.2 s, the last of which ends with it', () => {
  const { windows } = planClip(makeClip(15, 1, 2), ALL);
  expect(windows.map(({ start }) => start)).toEqual([2, 5.2, 8.4, expect.closeTo(10.6, 9)]);
  for (const { start, end, speech } of windows) {
    expect(end - start).toBeCloseTo(6.4, 9);
    expect(speech).toEqual({ start: Math.round((start - 2) * 62.5), frames: 400 });
  }
});

test('each window of a long clip has the face frames of its time, at most maxFrames of them, and each frame is used', () => {
  const plan = planClip(makeClip(15, 1), ALL);
  const shown = plan.windows.map(({ face }) => face!.map((frame) => plan.frameTimes[frame]!));
  for (const [index, { start, end }] of plan.windows.entries()) {
    expect(shown[index]!.length).toBeGreaterThan(5);
    for (const time of shown[index]!) expect(time >= start && time <= end).toBe(true);
  }
  expect(new Set(shown.flat()).size).toBe(15);
  const dense = planClip(makeClip(15, 4), ALL);
  expect(dense.windows.map(({ face }) => face!.length)).toEqual([8, 8, 8, 8]);
});

test('a window without a face frame has no face, and a modality without a network is left out', () => {
  const clip = makeClip(15, 1);
  if (clip.face.status !== 'used') throw new Error('unreachable');
  const early = { ...clip, face: { ...clip.face, times: clip.face.times.map((time) => time / 5) } };
  expect(planClip(early, ALL).windows.map(({ face }) => face !== null)).toEqual([true, false, false, false]);
  const plan = planClip(clip, { ...ALL, modalities: ['speech'] });
  expect(plan.inputs).toMatchObject({ face: null, text: null });
  expect(plan.windows.every(({ face }) => face === null)).toBe(true);
});

test('a timeline covers the span with windows of the length and hop that are asked for', () => {
  const plan = planClip(makeClip(5, 2, 1), { ...ALL, timeline: { window: 2, hop: 1 } });
  expect(plan.timeline!.map(({ start, end }) => [start, end])).toEqual([
    [1, 3],
    [2, 4],
    [3, 5],
    [4, 6],
  ]);
  expect(plan.timeline!.map(({ speech }) => speech!.frames)).toEqual([125, 125, 125, 125]);
  expect(plan.timeline!.map(({ face }) => face!.length)).toEqual([4, 4, 4, 4]);
});

test('a timeline of more windows than are allowed is refused, and windows that cannot be', () => {
  const clip = makeClip(60, 0.2);
  expect(() => planClip(clip, { ...ALL, timeline: { window: 1, hop: 0.1 } })).toThrow(/591 windows.*240/);
  expect(() => requireTimeline({ window: 0.1, hop: 1 })).toThrow(/window is 0.1 s/);
  expect(() => requireTimeline({ window: 10, hop: 1 })).toThrow(/window is 10 s/);
  expect(() => requireTimeline({ window: 1, hop: Number.NaN })).toThrow(/hop is NaN s/);
});

test('windows cover every span without a gap, whatever their hop up to their length', () => {
  const random = Random.for(7, 'spans');
  for (let i = 0; i < 200; i++) {
    const span = { start: random.uniform() * 5, end: 5 + random.uniform() * 50 };
    const length = 0.5 + random.uniform() * 6;
    const windows = windowsOf(span, length, Math.max(0.1, random.uniform() * length));
    expect(windows[0]!.start).toBe(span.start);
    expect(windows.at(-1)!.end).toBeCloseTo(span.end, 9);
    for (const [index, window] of windows.entries()) {
      expect(window.start).toBeLessThanOrEqual((windows[index - 1]?.end ?? window.start) + 1e-9);
    }
  }
});
