import { FlatVariable } from '../tensorflow/flat-variable.js';
import type { Native, Tensor } from '../tensorflow/native.js';

/** What an optimizer remembers: named vectors as long as the parameters, to be stored in a checkpoint. */
export type OptimizerState = Map<string, Float32Array>;

/** Updates all parameters at once and in place: they lie one after the other in one vector. */
export interface Optimizer {
  /**
   * @param parameters (count)
   * @param gradient (count); freed
   * @param step steps done before this one
   */
  update(parameters: FlatVariable, gradient: Tensor, learningRate: number, step: number): void;
  /** Subtract each row's mean from the gradients of matrices and filters first (arXiv 2004.01461). */
  readonly centralizesGradients: boolean;
  state(): OptimizerState;
  restore(state: OptimizerState): void;
  dispose(): void;
}

/** Vectors of optimizer state by name; made when first used. */
export class StateVectors {
  readonly #native: Native;
  readonly #vectors = new Map<string, FlatVariable>();

  constructor(native: Native) {
    this.#native = native;
  }

  has(name: string): boolean {
    return this.#vectors.has(name);
  }

  /** The vector of this name; zeros the first time. */
  get(name: string, count: number): FlatVariable {
    let vector = this.#vectors.get(name);
    if (vector === undefined) {
      vector = FlatVariable.zeros(this.#native, count);
      this.#vectors.set(name, vector);
    }
    return vector;
  }

  read(): OptimizerState {
    const native = this.#native;
    return new Map(
      [...this.#vectors].map(([name, vector]) => {
        const values = vector.read();
        const data = native.read(values);
        native.free(values);
        return [name, data];
      }),
    );
  }

  restore(state: OptimizerState): void {
    for (const [name, data] of state) {
      const values = this.#native.floats([data.length], Float32Array.from(data));
      this.get(name, data.length).assign(values);
      this.#native.free(values);
    }
  }

  dispose(): void {
    for (const vector of this.#vectors.values()) vector.dispose();
    this.#vectors.clear();
  }
}

export interface AdamStep {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Multiplies mean / (sqrt(variance) + epsilon). */
  stepSize: number;
}

/** Moves the averages of gradient and squared gradient, then the parameters, in one kernel. */
export function applyAdam(
  native: Native,
  parameters: FlatVariable,
  mean: FlatVariable,
  variance: FlatVariable,
  gradient: Tensor,
  { beta1, beta2, epsilon, stepSize }: AdamStep,
): void {
  const none = native.scalar(0);
  // The kernel takes 1 - beta2 in float32, which is off by 1e-5 of itself; the root of the variance by half of that.
  const scale = Math.sqrt((1 - Math.fround(beta2)) / (1 - beta2));
  const [rate, small] = [stepSize * scale, epsilon * scale].map((value) =>
    native.floats([], Float32Array.of(value)),
  ) as [Tensor, Tensor];
  // With powers of beta of zero the kernel corrects no bias: the step size holds the correction.
  native.runMany(
    'ResourceApplyAdam',
    [
      parameters.handle,
      mean.handle,
      variance.handle,
      none,
      none,
      rate,
      native.scalar(beta1),
      native.scalar(beta2),
      small,
      gradient,
    ],
    {},
    0,
  );
  native.free(rate, small);
}
