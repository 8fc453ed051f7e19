import { fnv1a32, Random } from '../../common/random.js';
import type { StateDict } from '../../common/safetensors.js';
import type { ParameterSpec } from '../../models/parameters.js';

/**
 * The weights that the reference's golden outputs were made with: every value follows from the parameter's name, so no
 * large file is needed. u is mulberry32 seeded with fnv1a32 of the name, row-major, in float64, cast to float32.
 *
 * @param prefix is taken off each name before the formula, for a branch of a multimodal network
 */
export function formulaState(parameters: readonly ParameterSpec[], prefix = ''): StateDict {
  const state: StateDict = new Map();
  for (const { name, shape } of parameters) {
    if (!name.startsWith(prefix)) continue;
    state.set(name, { dtype: 'F32', shape, data: formulaValues(name.slice(prefix.length), shape) });
  }
  return state;
}

/** The formula's values for one parameter. */
export function formulaValues(name: string, shape: readonly number[]): Float32Array {
  const random = new Random(fnv1a32(name));
  const value = distribution(name, shape);
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < values.length; i++) values[i] = value(random.uniform());
  return values;
}

function distribution(name: string, shape: readonly number[]): (u: number) => number {
  if (name.endsWith('running_var')) return (u) => 0.5 + u;
  if (name.endsWith('running_mean')) return (u) => 0.2 * u - 0.1;
  if (shape.length === 1) return name.endsWith('.weight') ? (u) => 0.75 + 0.5 * u : (u) => 0.2 * u - 0.1;
  const bound = Math.sqrt(3 / shape.slice(1).reduce((product, size) => product * size, 1));
  return (u) => (2 * u - 1) * bound;
}
