import type { Native, Tensor } from '../tensorflow/native.js';

/** What an optimizer remembers: named vectors as long as the parameters, to be stored in a checkpoint. */
export type OptimizerState = Map<string, Float32Array>;

/** Updates all parameters at once: they lie one after the other in one vector, so a step costs a dozen kernels. */
export interface Optimizer {
  /**
   * @param parameters (count); not freed
   * @param gradient (count); freed
   * @param step steps done before this one
   * @returns the new parameters (count), the caller's to free
   */
  update(parameters: Tensor, gradient: Tensor, learningRate: number, step: number): Tensor;
  /** Subtract each row's mean from the gradients of matrices and filters first (arXiv 2004.01461). */
  readonly centralizesGradients: boolean;
  state(): OptimizerState;
  restore(state: OptimizerState): void;
  dispose(): void;
}

/** Vectors of optimizer state by name; made when first used. */
export class StateVectors {
  readonly #native: Native;
  readonly #tensors = new Map<string, Tensor>();

  constructor(native: Native) {
    this.#native = native;
  }

  get(name: string): Tensor | undefined {
    return this.#tensors.get(name);
  }

  set(name: string, tensor: Tensor): Tensor {
    const old = this.#tensors.get(name);
    if (old) this.#native.free(old);
    this.#tensors.set(name, tensor);
    return tensor;
  }

  /** decay * old + (1 - decay) * value, stored under `name`; old starts at zero. */
  average(name: string, value: Tensor, decay: number): Tensor {
    const native = this.#native;
    const fresh = native.run('Mul', [value, native.scalar(1 - decay)]);
    const old = this.get(name);
    if (old === undefined) return this.set(name, fresh);
    const kept = native.run('Mul', [old, native.scalar(decay)]);
    const sum = native.run('AddV2', [kept, fresh]);
    native.free(kept, fresh);
    return this.set(name, sum);
  }

  read(): OptimizerState {
    return new Map([...this.#tensors].map(([name, tensor]) => [name, this.#native.read(tensor)]));
  }

  restore(state: OptimizerState): void {
    for (const [name, data] of state) this.set(name, this.#native.floats([data.length], Float32Array.from(data)));
  }

  dispose(): void {
    this.#native.free(...this.#tensors.values());
    this.#tensors.clear();
  }
}

/** a + factor * b, as a new tensor; `factor` may change every step and is not kept. */
export function addScaled(native: Native, a: Tensor, b: Tensor, factor: number): Tensor {
  const scale = native.floats([], Float32Array.of(factor));
  const scaled = native.run('Mul', [b, scale]);
  const result = native.run('AddV2', [a, scaled]);
  native.free(scale, scaled);
  return result;
}
