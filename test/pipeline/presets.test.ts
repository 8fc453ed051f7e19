import { describe, expect, test } from 'vitest';
import { MODES } from '../../models/spec.js';
import { PRESETS, trainFlags } from '../../pipeline/presets.js';
import { parseTrainConfig } from '../../training/parse-config.js';

describe.each(PRESETS)('preset %s', (preset) => {
  test.each(MODES)('is flags that mer train takes: %s', (mode) => {
    const flags = trainFlags(mode, { preset, clips: 500, epochs: 2 });
    expect(parseTrainConfig({ mode, ...flags })).toMatchObject({ n_epoch: 2 });
  });
});

test('a quick training of many clips has fewer epochs, so that it takes minutes as well', () => {
  const epochs = (clips: number) => Number(trainFlags('speech', { preset: 'quick', clips }).n_epoch);
  expect([epochs(248), epochs(5000), epochs(44_370)]).toEqual([40, 6, 3]);
});

test('full is the commands of the reference, with smaller batches for smaller corpora', () => {
  const speech = (clips: number) => trainFlags('speech', { preset: 'full', clips });
  expect(speech(44_370)).toMatchObject({ n_epoch: '100', batch_size: '256', speech_coeff: '4', optim: 'ranger' });
  expect(speech(700).batch_size).toBe('32');
  expect(speech(20).batch_size).toBe('8');
});
