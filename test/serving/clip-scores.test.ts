import { expect, test } from 'vitest';
import { Random } from '../../common/random.js';
import { clipScores } from '../../serving/engine/clip-scores.js';
import { clipRequest, VARIANTS } from '../../serving/engine/request.js';
import type { ScoredViews, ScoringRequest } from '../../serving/engine/scoring.js';
import type { PlannedClip, Window } from '../../serving/engine/windows.js';

const FLOATS = { data: new Float32Array(1), length: 1 };
const speech = { start: 0, frames: 100 };

function plan(windows: Omit<Window, 'start' | 'end'>[], timeline: PlannedClip['timeline'] = null): PlannedClip {
  return {
    inputs: { speech: FLOATS, face: { data: new Uint8Array(3), length: 3 }, text: null },
    frameTimes: [0.1, 0.2, 0.3],
    windows: windows.map((window, i) => ({ start: 3 * i, end: 3 * i + 6, ...window })),
    timeline,
  };
}

/** Made-up answers of the networks: other logits for each view and combination. */
function madeUp({ views, combinations }: ScoringRequest): ScoredViews {
  const random = Random.for(3, 'logits');
  const logits = () => Array.from({ length: 7 }, () => 2 * random.normal());
  const scores = (steps: number) => ({ logits: logits(), attention: new Array<number>(steps).fill(1 / steps) });
  return {
    views: {
      speech: views.speech.map(() => scores(4)),
      face: views.face.map(({ frames }) => scores(frames.length)),
      text: [],
    },
    combinations: combinations.map((combination) => ({
      ...(combination.speech !== undefined && { speech: logits() }),
      ...(combination.face !== undefined && { face: logits() }),
      ...(combination.speech !== undefined && combination.face !== undefined && { 'speech+face': logits() }),
    })),
  };
}

/** Softmax as it is defined. */
function probabilities(logits: readonly number[]): number[] {
  const sum = logits.reduce((total, value) => total + Math.exp(value), 0);
  return logits.map((value) => Math.exp(value) / sum);
}

const normalised = (values: readonly number[]) =>
  values.map((value) => value / values.reduce((total, other) => total + other, 0));
const column = (rows: readonly (readonly number[])[], i: number) => rows.map((row) => row[i]!);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const means = (rows: readonly (readonly number[])[]) => rows[0]!.map((_, i) => mean(column(rows, i)));

function expectClose(found: readonly number[], expected: readonly number[]): void {
  // Float64 on both sides, in another order.
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 12);
}

test('temperatures of the set of modalities and of each head are applied, and said to be', () => {
  const asked = clipRequest(plan([{ speech, face: [0, 1, 2] }]), 'none');
  const scored = madeUp(asked.request);
  const calibration = { subsets: { 'speech+face': 2, speech: 0.5 }, heads: { face: 4 } };
  const clip = clipScores({ calibration }, 'none', { frameTimes: [0.1, 0.2, 0.3] }, asked, scored);
  const [fused] = scored.combinations;
  const divided = (logits: readonly number[], by: number) => probabilities(logits.map((value) => value / by));
  expect(clip.calibrated).toBe(true);
  expectClose(clip.scores, divided(fused!['speech+face']!, 2));
  expectClose(clip.subsets.speech!, divided(fused!.speech!, 0.5));
  expectClose(clip.subsets.face!, divided(fused!.face!, 1));
  expectClose(clip.modalities.face!, divided(scored.views.face[0]!.logits, 4));
  expect(clipScores({}, 'none', { frameTimes: [0.1, 0.2, 0.3] }, asked, scored).calibrated).toBe(false);
});

test('the default augmentation is the geometric mean over six variants without vertical flips', () => {
  expect(VARIANTS.default).toHaveLength(6);
  expect(VARIANTS.default.some(({ vertical }) => vertical)).toBe(false);
  const asked = clipRequest(plan([{ speech, face: [0, 1, 2] }]), 'default');
  const scored = madeUp(asked.request);
  const { scores } = clipScores({}, 'default', { frameTimes: [0.1, 0.2, 0.3] }, asked, scored);
  const rows = scored.combinations.map((fused) => probabilities(fused['speech+face']!));
  expect(rows).toHaveLength(6);
  expectClose(scores, normalised(rows[0]!.map((_, i) => Math.exp(mean(column(rows, i).map(Math.log))))));
});

test("compat seed's augmentation is the mean over twelve variants of softmax^0.1, made to sum to 1, uncalibrated", () => {
  const asked = clipRequest(plan([{ speech, face: [0, 1, 2] }]), 'seed');
  const scored = madeUp(asked.request);
  const calibration = { subsets: { 'speech+face': 2 }, heads: {} };
  const clip = clipScores({ calibration }, 'seed', { frameTimes: [0.1, 0.2, 0.3] }, asked, scored);
  const rows = scored.combinations.map((fused) =>
    normalised(probabilities(fused['speech+face']!).map((value) => value ** 0.1)),
  );
  expect(rows).toHaveLength(12);
  expect(clip.calibrated).toBe(false);
  expectClose(clip.scores, means(rows));
});

test('speech and words are asked for once a clip, whatever the variants', () => {
  const { request } = clipRequest(plan([{ speech, face: [0, 1, 2] }]), 'seed');
  expect([request.views.speech.length, request.views.face.length]).toEqual([1, 12]);
});

test('windows count alike: the mean of their probabilities, each from the modalities that it has', () => {
  const asked = clipRequest(
    plan([
      { speech, face: [0, 1] },
      { speech, face: null },
    ]),
    'none',
  );
  const scored = madeUp(asked.request);
  const clip = clipScores({}, 'none', { frameTimes: [0.1, 0.2, 0.3] }, asked, scored);
  const [first, second] = scored.combinations;
  expectClose(clip.scores, means([probabilities(first!['speech+face']!), probabilities(second!.speech!)]));
  expectClose(clip.subsets.speech!, means([probabilities(first!.speech!), probabilities(second!.speech!)]));
  expectClose(clip.subsets.face!, probabilities(first!.face!));
  expectClose(clip.modalities.face!, probabilities(scored.views.face[0]!.logits));
});

test('a window with nothing in it is left out', () => {
  const empty = { speech: null, face: null };
  expect(clipRequest(plan([{ speech, face: null }, empty]), 'none').windows).toHaveLength(1);
});

test('a timeline is scored without augmentation, window by window', () => {
  const timeline = [
    { start: 0, end: 2, speech, face: [0] },
    { start: 1, end: 3, speech, face: [1] },
  ];
  const asked = clipRequest(plan([{ speech, face: [0, 1, 2] }], timeline), 'default');
  const scored = madeUp(asked.request);
  const clip = clipScores({}, 'default', { frameTimes: [0.1, 0.2, 0.3] }, asked, scored);
  expect(asked.request.views.face).toHaveLength(6 + 2);
  expect(clip.timeline!.map(({ start, end }) => [start, end])).toEqual([
    [0, 2],
    [1, 3],
  ]);
  expectClose(clip.timeline![1]!.scores, probabilities(scored.combinations[7]!['speech+face']!));
});

test('key frames are those of the largest shares of attention, by time; padding has none', () => {
  const windows = [{ speech: null, face: [-1, 0, 1, 2] }];
  const asked = clipRequest({ ...plan(windows), frameTimes: [0.1, 0.2, 0.2] }, 'none');
  const scored = madeUp(asked.request);
  scored.views.face[0]!.attention = [0.4, 0.3, 0.2, 0.1];
  const { keyFrames } = clipScores({}, 'none', { frameTimes: [0.1, 0.2, 0.2] }, asked, scored);
  expect(keyFrames).toEqual([
    { time: 0.1, share: expect.closeTo(0.3, 12) },
    { time: 0.2, share: expect.closeTo(0.3, 12) },
  ]);
});
