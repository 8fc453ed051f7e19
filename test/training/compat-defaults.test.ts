import { describe, expect, test } from 'vitest';
import { parseTrainConfig } from '../../training/parse-config.js';

describe('defaults that --compat changes', () => {
  test('in compat seed what the reference does not have is off', () => {
    expect(parseTrainConfig({ mode: 'multimodal', compat: 'seed' })).toMatchObject({
      fusion: 'concat',
      modality_heads: false,
      modality_dropout: 0,
      time_warp: 0,
      ema: 0,
      clip_norm: 0,
      class_weights: 'off',
      select: 'loss',
      patience: 0,
    });
  });

  test('by default it is on', () => {
    expect(parseTrainConfig({ mode: 'multimodal' })).toMatchObject({
      fusion: 'gated',
      modality_heads: true,
      modality_dropout: 0.35,
      time_warp: 5,
      ema: 0.999,
      clip_norm: 1,
      class_weights: 'auto',
      select: 'macro_f1',
    });
  });

  test('a flag that is given wins in both', () => {
    expect(parseTrainConfig({ mode: 'speech', compat: 'seed', time_warp: 3, ema: '0.9' })).toMatchObject({
      time_warp: 3,
      ema: 0.9,
      clip_norm: 0,
    });
    expect(parseTrainConfig({ mode: 'speech', compat: 'default', time_warp: 0 })).toMatchObject({
      time_warp: 0,
      ema: 0.999,
    });
  });
});
