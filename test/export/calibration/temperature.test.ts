import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMOTION_COUNT } from '../../../common/labels.js';
import { argmax, softmax } from '../../../common/metrics.js';
import { Random } from '../../../common/random.js';
import { fitTemperature, tempered } from '../../../export/calibration/temperature.js';

/** Clips whose labels are drawn from softmax(logits / temperature). */
function drawClips(clips: number, temperature: number, seed: number): { logits: number[][]; labels: number[] } {
  const random = Random.for(seed, 'logits');
  const logits = Array.from({ length: clips }, () => Array.from({ length: EMOTION_COUNT }, () => 3 * random.normal()));
  const labels = logits.map((row) => {
    let left = random.uniform();
    const label = tempered(row, temperature).findIndex((probability) => {
      left -= probability;
      return left < 0;
    });
    return label < 0 ? EMOTION_COUNT - 1 : label;
  });
  return { logits, labels };
}

function nll(logits: readonly number[][], labels: readonly number[], temperature: number): number {
  return labels.reduce((sum, label, row) => sum - Math.log(tempered(logits[row]!, temperature)[label]!), 0);
}

const clipsOf = fc.record({
  clips: fc.integer({ min: 1, max: 60 }),
  temperature: fc.double({ min: 0.1, max: 10, noNaN: true }),
  seed: fc.integer(),
});

describe('the fitted temperature', () => {
  test.each([0.3, 1, 2.5, 6])('is %d where the labels were drawn at that temperature', (temperature) => {
    const { logits, labels } = drawClips(20_000, temperature, 1);
    // Of 20 000 clips the standard error of the estimate is below 2 %; the seed is fixed.
    expect(fitTemperature(logits, labels) / temperature).toBeCloseTo(1, 1);
  });

  test('has the least negative log-likelihood of all in its range', () => {
    fc.assert(
      fc.property(clipsOf, fc.double({ min: 0.05, max: 20, noNaN: true }), ({ clips, temperature, seed }, other) => {
        const { logits, labels } = drawClips(clips, temperature, seed);
        const fitted = fitTemperature(logits, labels);
        // Rounding of a sum of 60 logarithms.
        return nll(logits, labels, fitted) <= nll(logits, labels, other) + 1e-7;
      }),
      { seed: 1 },
    );
  });

  test('of scaled logits is scaled by as much', () => {
    const { logits, labels } = drawClips(200, 1.5, 2);
    const tripled = logits.map((row) => row.map((value) => 3 * value));
    // Both are found to about 1e-11.
    expect(fitTemperature(tripled, labels)).toBeCloseTo(3 * fitTemperature(logits, labels), 8);
  });

  test('stays in its range where every prediction is right, or none', () => {
    const logits = [[5, 0, 0, 0, 0, 0, 0], [0, 5, 0, 0, 0, 0, 0]]; // biome-ignore format: rows
    expect(fitTemperature(logits, [0, 1])).toBeCloseTo(0.05, 8);
    expect(fitTemperature(logits, [2, 3])).toBeCloseTo(20, 6);
  });

  test('is 1 where it makes no difference', () => {
    expect(fitTemperature([], [])).toBe(1);
    expect(fitTemperature([new Array(EMOTION_COUNT).fill(2)], [3])).toBe(1);
  });
});

test('no temperature changes which class is predicted, and the probabilities sum to 1', () => {
  const row = fc.array(fc.float({ min: -40, max: 40, noNaN: true }), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(row, fc.double({ min: 0.05, max: 20, noNaN: true }), (logits, temperature) => {
      const probabilities = tempered(logits, temperature);
      // Logits that float64 cannot tell apart after the division share the largest probability.
      expect(probabilities[argmax(logits)]).toBe(Math.max(...probabilities));
      expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    }),
    { seed: 1 },
  );
});

test('temperature 1 is the softmax', () => {
  expect(tempered([1, 2, 3], 1)).toEqual(softmax([1, 2, 3]));
});
