import type { StateDict } from '../../common/safetensors.js';
import type { ParameterSpec } from '../../models/parameters.js';
import type { Native, Tensor } from './native.js';
import type { Variables } from './tensorflow-ops.js';

/** From PyTorch's layout to TensorFlow's: filters become (height, width, in, out) or (height, width, channels, 1). */
const TO_TENSORFLOW = { conv: [2, 3, 1, 0], depthwise: [2, 3, 0, 1] } as const;

/** Order in which the axes of a TensorFlow filter make a PyTorch one. */
const TO_PYTORCH = { conv: [3, 2, 0, 1], depthwise: [2, 3, 0, 1] } as const;

/** The parameters and running statistics of a network as TensorFlow tensors. Free them with {@link dispose}. */
export class NetworkVariables implements Variables {
  readonly #native: Native;
  readonly #tensors = new Map<string, Tensor>();
  readonly specs: readonly ParameterSpec[];

  /** @param state holds every parameter of `specs` with its shape (checkState in training/checkpoint.ts) */
  constructor(native: Native, specs: readonly ParameterSpec[], state: StateDict) {
    this.#native = native;
    this.specs = specs;
    for (const spec of specs) {
      const tensor = state.get(spec.name);
      if (tensor?.dtype !== 'F32') throw new TypeError(`no float32 tensor ${spec.name}`);
      // A copy: TensorFlow keeps using the memory that it is given.
      const loaded = native.floats(spec.shape, Float32Array.from(tensor.data));
      this.#tensors.set(
        spec.name,
        spec.layout === 'plain' ? loaded : this.#permute(loaded, TO_TENSORFLOW[spec.layout]),
      );
    }
  }

  #permute(tensor: Tensor, permutation: readonly number[]): Tensor {
    const result = this.#native.run('Transpose', [tensor, this.#native.list(permutation)]);
    this.#native.free(tensor);
    return result;
  }

  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new TypeError(`the network has no parameter ${name}`);
    return tensor;
  }

  replace(name: string, value: Tensor): void {
    this.release(name);
    this.#tensors.set(name, value);
  }

  /** Frees a tensor that is going to be replaced. */
  release(name: string): void {
    const tensor = this.#tensors.get(name);
    if (tensor) this.#native.free(tensor);
    this.#tensors.delete(name);
  }

  /** Copies everything out, in PyTorch's names and layouts. */
  state(): StateDict {
    const native = this.#native;
    const state: StateDict = new Map();
    for (const { name, shape, layout } of this.specs) {
      const tensor = this.get(name);
      let data: Float32Array;
      if (layout === 'plain') {
        data = native.read(tensor);
      } else {
        const copy = native.run('Transpose', [tensor, native.list(TO_PYTORCH[layout])]);
        data = native.read(copy);
        native.free(copy);
      }
      state.set(name, { dtype: 'F32', shape: [...shape], data });
    }
    return state;
  }

  dispose(): void {
    this.#native.free(...this.#tensors.values());
    this.#tensors.clear();
  }
}
