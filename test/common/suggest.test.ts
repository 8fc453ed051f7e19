import { expect, test } from 'vitest';
import { suggestion } from '../../common/suggest.js';

const NAMES = ['learning_rate', 'label_smoothing', 'lam', 'optim'];

test.each([
  ['learning_rat', ' Did you mean learning_rate?'],
  ['laerning_rate', ' Did you mean learning_rate?'],
  ['Optim', ' Did you mean optim?'],
  ['lma', ' Did you mean lam?'],
  ['banana', ''],
  ['x', ''],
])('%s: "%s"', (word, expected) => {
  expect(suggestion(word, NAMES)).toBe(expected);
});
