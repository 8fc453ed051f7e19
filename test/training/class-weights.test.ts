import { expect, test } from 'vitest';
import { weighClasses, classWeights as weightsOf } from '../../training/class-weights.js';

const classWeights = (labels: ReturnType<typeof clips>, asked: 'auto' | 'on' | 'off') =>
  weightsOf(labels, { class_weights: asked, mode: 'multimodal' });

/** Clips with this many of each class for all three labels. */
function clips(...counts: number[]): { inte: number; face: number; speech: number }[] {
  return counts.flatMap((count, c) => Array.from({ length: count }, () => ({ inte: c, face: c, speech: c })));
}

test('by default classes are weighed only where one has over twice as many clips as another', () => {
  expect(classWeights(clips(10, 20, 10, 10, 10, 10, 10), 'auto').inte).toBeNull();
  expect(classWeights(clips(10, 21, 10, 10, 10, 10, 10), 'auto').inte).not.toBeNull();
  expect(classWeights(clips(10, 21, 10, 10, 10, 10, 10), 'off').inte).toBeNull();
  expect(classWeights(clips(10, 10, 10, 10, 10, 10, 10), 'on').inte).toEqual(new Array(7).fill(1));
});

test('every class that occurs has the same share of the weight, none more than ten times its own', () => {
  expect(classWeights(clips(40, 10, 10), 'on').inte).toEqual([0.5, 2, 2, 1, 1, 1, 1]);
  expect(classWeights(clips(1000, 1), 'on').inte?.[1]).toBe(10);
});

test('each label is weighed by its own classes', () => {
  const labels = clips(10, 30).map((label) => ({ ...label, face: 0 }));
  const { inte, face } = classWeights(labels, 'auto');
  expect(inte).not.toBeNull();
  expect(face).toBeNull();
});

test('the weighed loss is that of torch.nn.functional.cross_entropy with weights and soft targets', () => {
  const weights = [0.5, 2, 1, 1, 3, 1, 1];
  const rows = Float32Array.of(0.9, 0.1, 0, 0, 0, 0, 0, 0, 0.25, 0, 0, 0.75, 0, 0);
  const logProbabilities = [-1, -2, -3, -4, -5, -6, -7, -2, -1, -3, -3, -3, -3, -3];
  const weighed = weighClasses(rows, Float32Array.of(0.5, 0.5), weights);
  const loss = weighed.rows.reduce(
    (sum, target, i) => sum - weighed.clips[Math.floor(i / 7)]! * target * logProbabilities[i]!,
    0,
  );
  // By torch's formula: -sum(weight * target * log p) / clips.
  const expected = (0.5 * 0.9 * 1 + 2 * 0.1 * 2 + 2 * 0.25 * 1 + 3 * 0.75 * 3) / 2;
  expect(loss).toBeCloseTo(expected, 6);
  for (const clip of [0, 1]) {
    expect(weighed.rows.slice(7 * clip, 7 * clip + 7).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  }
});
