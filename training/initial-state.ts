import { MerError } from '../common/errors.js';
import { MODALITIES } from '../common/labels.js';
import { Random } from '../common/random.js';
import type { StateDict } from '../common/safetensors.js';
import { BRANCH_PREFIX } from '../models/multimodal.js';
import type { ParameterSpec } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { readCheckpoint } from './checkpoint.js';
import type { TrainConfig } from './config.js';

/** Random starting values; each parameter has a stream of its own, so that none depends on the others. */
export function randomState(parameters: readonly ParameterSpec[], seed: number): StateDict {
  const state: StateDict = new Map();
  for (const { name, shape, initializer } of parameters) {
    const random = Random.for(seed, 'initial', name);
    const count = shape.reduce((product, size) => product * size, 1);
    const draw = (): number => {
      switch (initializer.kind) {
        case 'uniform':
          return random.between(-initializer.bound, initializer.bound);
        case 'normal':
          return initializer.std * random.normal();
        case 'constant':
          return initializer.value;
      }
    };
    state.set(name, { dtype: 'F32', shape: [...shape], data: Float32Array.from({ length: count }, draw) });
  }
  return state;
}

/**
 * Replaces the starting values of the networks for which the flags name a checkpoint: in multimodal training each
 * branch, else the network itself.
 * @returns the files that were read, by modality
 * @throws MerError bad_file when a checkpoint is of another network
 */
export async function loadStartingWeights(
  state: StateDict,
  spec: ModelSpec,
  config: TrainConfig,
): Promise<Record<string, string>> {
  const used: Record<string, string> = {};
  for (const modality of MODALITIES) {
    const given = config[`${modality}_load_weights`];
    if (given === undefined) continue;
    if (spec.mode !== 'multimodal' && spec.mode !== modality) {
      throw new MerError(
        'bad_argument',
        `--${modality}_load_weights has no use in mode ${spec.mode}.`,
        `Leave it out, or train in mode ${modality} or multimodal.`,
      );
    }
    const checkpoint = await readCheckpoint(given);
    const prefix = spec.mode === 'multimodal' ? BRANCH_PREFIX[modality] : '';
    for (const [name, current] of state) {
      if (!name.startsWith(prefix)) continue;
      const loaded = checkpoint.state.get(name.slice(prefix.length));
      if (loaded?.dtype !== 'F32' || loaded.shape.join() !== current.shape.join()) {
        throw new MerError(
          'bad_file',
          `${checkpoint.file}: tensor ${name.slice(prefix.length)} is ${loaded ? `(${loaded.shape})` : 'missing'}, (${current.shape}) is needed.`,
          `Give the same coefficients and sizes as the ${modality} run (it was made with ${JSON.stringify(checkpoint.spec)}).`,
        );
      }
      state.set(name, loaded);
    }
    used[modality] = checkpoint.file;
  }
  return used;
}
