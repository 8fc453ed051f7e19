import type { StateDict } from '../../common/safetensors.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import { formulaState } from './golden-weights.js';

/** The smallest multimodal network: every part of the real ones, a few megabytes of weights. */
export const TINY_SPEC: ModelSpec = {
  mode: 'multimodal',
  compat: 'default',
  speechCoefficient: 'tiny',
  faceCoefficient: 'tiny',
  faceSize: 56,
  textLayers: 1,
  textHeads: 8,
  wordDim: 24,
  maxWords: 40,
  fan: 'self',
  fusion: 'gated',
};

/**
 * Weights for such a network, always the same. Variances are smaller than the formula's, so that the input's signal
 * reaches the logits: with the formula alone it fades in the EfficientNets, with a factor of 0.2 it explodes there.
 */
export function tinyState(spec: ModelSpec = TINY_SPEC): StateDict {
  const state = formulaState(networkParameters(spec));
  for (const [name, { data }] of state) {
    if (!name.endsWith('running_var') || !(data instanceof Float32Array)) continue;
    for (const [i, value] of data.entries()) data[i] = 0.4 * value;
  }
  return state;
}
