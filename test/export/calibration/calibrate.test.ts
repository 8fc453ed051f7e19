import { expect, test } from 'vitest';
import { EMOTION_COUNT, EMOTIONS } from '../../../common/labels.js';
import { argmax } from '../../../common/metrics.js';
import { Random } from '../../../common/random.js';
import { calibrate, FOLDS, LEAST_CLIPS } from '../../../export/calibration/calibrate.js';
import { assignFolds } from '../../../export/calibration/folds.js';
import { fitTemperature, tempered } from '../../../export/calibration/temperature.js';

/** Logits of clips that are far too sure of themselves. */
function overconfident(count: number) {
  const random = new Random(7);
  const labels = Array.from({ length: count }, () => random.integer(EMOTION_COUNT));
  const logits = Float32Array.from({ length: count * EMOTION_COUNT }, (_, index) => {
    const isLabel = index % EMOTION_COUNT === labels[Math.floor(index / EMOTION_COUNT)];
    return 6 * (random.normal() + Number(isLabel));
  });
  const clips = Array.from({ length: count }, (_, index) => index);
  const emotion = (label: number) => EMOTIONS[label]!;
  const folds = assignFolds(
    labels.map((label, clip) => ({
      speaker: `speaker ${clip % 9}`,
      labels: { inte: emotion(label), face: emotion(label), speech: emotion(label) },
    })),
    FOLDS,
    1,
  );
  return { rows: { clips, logits }, labels, folds };
}

test('every clip is scored at the temperature that the other folds give', () => {
  const { rows, labels, folds } = overconfident(200);
  const row = (clip: number) => rows.logits.subarray(clip * EMOTION_COUNT, (clip + 1) * EMOTION_COUNT);
  const { after, before, temperature, fitted } = calibrate(rows, (clip) => labels[clip]!, folds);
  expect(fitted).toBe(true);
  expect(temperature).toBe(fitTemperature(rows.clips.map(row), labels));
  for (let fold = 0; fold < FOLDS; fold++) {
    const others = rows.clips.filter((clip) => folds[clip] !== fold);
    const own = rows.clips.filter((clip) => folds[clip] === fold);
    expect(own.length).toBeGreaterThan(0);
    const withoutFold = fitTemperature(
      others.map(row),
      others.map((clip) => labels[clip]!),
    );
    expect(withoutFold).not.toBe(temperature);
    for (const clip of own) expect(after[clip]).toEqual(tempered(row(clip), withoutFold));
  }
  for (const clip of rows.clips) expect(argmax(after[clip]!)).toBe(argmax(before[clip]!));
});

test('the label of a clip does not move the temperature that it is scored with', () => {
  const { rows, labels, folds } = overconfident(120);
  const { after } = calibrate(rows, (clip) => labels[clip]!, folds);
  const flipped = calibrate(rows, (clip) => (clip === 5 ? (labels[clip]! + 1) % EMOTION_COUNT : labels[clip]!), folds);
  expect(flipped.after[5]).toEqual(after[5]);
});

test('too few clips keep temperature 1', () => {
  const { rows, labels, folds } = overconfident(LEAST_CLIPS - 1);
  const { temperature, fitted, before, after } = calibrate(rows, (clip) => labels[clip]!, folds);
  expect({ temperature, fitted }).toEqual({ temperature: 1, fitted: false });
  expect(after).toEqual(before);
});
