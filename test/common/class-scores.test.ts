import { expect, test } from 'vitest';
import { classScores, weightedF1 } from '../../common/class-scores.js';

/** Rows are labels: 3 of 4 hap are found, 1 is taken for ang; both ang are found. */
const CONFUSION = [
  [3, 1, 0, 0, 0, 0, 0],
  [0, 2, 0, 0, 0, 0, 0],
  ...Array.from({ length: 5 }, () => new Array<number>(7).fill(0)),
];

test('precision, recall and F1 follow from the confusion matrix', () => {
  const { hap, ang, sur } = classScores(CONFUSION);
  expect(hap).toEqual({ clips: 4, precision: 1, recall: 0.75, f1: 6 / 7 });
  expect(ang).toEqual({ clips: 2, precision: 2 / 3, recall: 1, f1: 0.8 });
  expect(sur).toEqual({ clips: 0, precision: 0, recall: 0, f1: 0 });
});

test('weighted F1 counts each class by its clips', () => {
  expect(weightedF1(classScores(CONFUSION))).toBeCloseTo((4 * (6 / 7) + 2 * 0.8) / 6, 12);
});
