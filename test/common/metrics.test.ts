import { expect, test } from 'vitest';
import { calibrationError, classificationMetrics } from '../../common/metrics.js';

/** A row of seven with `confidence` on one class and the rest spread evenly. */
function row(predicted: number, confidence: number): number[] {
  return Array.from({ length: 7 }, (_, c) => (c === predicted ? confidence : (1 - confidence) / 6));
}

test('the calibration error is the mean gap between confidence and accuracy over 15 bins', () => {
  // Four clips in (0.6, 0.667] at 0.64, half of them right; one in (0.933, 1] at 1, right.
  const probabilities = [row(0, 0.64), row(1, 0.64), row(2, 0.64), row(3, 0.64), row(4, 1)];
  expect(calibrationError(probabilities, [0, 1, 0, 0, 4])).toBeCloseTo((4 * 0.14) / 5, 12);
});

test('clips on both sides of the border of a bin do not make up for each other', () => {
  // 9 / 15 belongs to the bin below it: one clip too sure, one not sure enough.
  const probabilities = [row(0, 0.6), row(1, 0.61)];
  expect(calibrationError(probabilities, [1, 1])).toBeCloseTo((0.6 + 0.39) / 2, 12);
});

test('macro-F1 is the mean over the classes that occur, weighted F1 counts their clips', () => {
  // hap 3 clips, 2 found; ang 1 clip, found, and one hap taken for it; the other five do not occur.
  const probabilities = [row(0, 0.9), row(0, 0.9), row(1, 0.9), row(1, 0.9)];
  const { accuracy, macroF1, weightedF1, nll } = classificationMetrics(probabilities, [0, 0, 0, 1]);
  expect(accuracy).toBe(0.75);
  expect(macroF1).toBeCloseTo((0.8 + 2 / 3) / 2, 12);
  expect(weightedF1).toBeCloseTo((3 * 0.8 + 2 / 3) / 4, 12);
  expect(nll).toBeCloseTo(-(3 * Math.log(0.9) + Math.log(0.1 / 6)) / 4, 12);
});
