import type { Compat } from '../common/bundle.js';
import type { TrainFlags } from './config.js';

/**
 * Defaults of flags that are others under `--compat seed`, where the reference does not have what the flag asks for.
 * What does not depend on a flag (masks, positions, frames, warm-up) asks for the mode itself.
 */
const SEED_DEFAULTS = {
  fusion: 'concat',
  backbone_stem: 'random',
  modality_heads: false,
  modality_dropout: 0,
  time_warp: 0,
  ema: 0,
  clip_norm: 0,
  class_weights: 'off',
  select: 'loss',
  patience: 0,
} as const satisfies Partial<TrainFlags>;

/** What stands in place of the schema's defaults in this mode; a flag that the user gives wins over both. */
export function compatDefaults(compat: Compat): Partial<TrainFlags> {
  return compat === 'seed' ? SEED_DEFAULTS : {};
}
