import type { ParameterSpec } from '../models/parameters.js';
import type { Native, Tensor } from './tensorflow/native.js';
import type { Tape } from './tensorflow/tape.js';
import type { NetworkVariables } from './tensorflow/variables.js';

/** Axes of a TensorFlow parameter over which gradient centralisation takes the mean: all but that of the outputs. */
const CENTRAL_AXES = { conv: [0, 1, 2], depthwise: [0, 1, 3] } as const;

/** Some parameters of a network as one vector, which optimizers and averages work on. */
export class FlatParameters {
  readonly #native: Native;
  readonly #variables: NetworkVariables;
  readonly #specs: readonly ParameterSpec[];

  constructor(native: Native, variables: NetworkVariables, specs: readonly ParameterSpec[]) {
    this.#native = native;
    this.#variables = variables;
    this.#specs = specs;
  }

  watch(tape: Tape): void {
    for (const { name } of this.#specs) tape.watch(this.#variables.get(name));
  }

  /** (count): a copy of all values, the caller's to free. */
  gather(): Tensor {
    return this.#join(this.#specs.map(({ name }) => this.#variables.get(name)));
  }

  /** (count): the gradients after a backward pass, zero where the loss does not depend on a parameter. */
  gatherGradients(tape: Tape, centralize: boolean): Tensor {
    const native = this.#native;
    const gradients = this.#specs.map((spec) => {
      const parameter = this.#variables.get(spec.name);
      const gradient = tape.takeGradient(parameter) ?? native.run('ZerosLike', [parameter]);
      return centralize ? centralizeGradient(native, gradient, spec) : gradient;
    });
    const joined = this.#join(gradients);
    native.free(...gradients);
    return joined;
  }

  #join(tensors: readonly Tensor[]): Tensor {
    const native = this.#native;
    const rows = tensors.map((tensor) => native.run('Reshape', [tensor, native.list([-1])]));
    const joined = native.run('ConcatV2', [...rows, native.intScalar(0)], {
      N: rows.length,
      T: { type: native.float32 },
    });
    native.free(...rows);
    return joined;
  }

  /** Puts new values in place; `values` is not freed. */
  scatter(values: Tensor): void {
    const native = this.#native;
    const shapes = this.#specs.map(({ name }) => this.#variables.get(name).shape);
    const sizes = native.list(shapes.map((shape) => shape.reduce((a, b) => a * b, 1)));
    const parts = native.runMany(
      'SplitV',
      [values, sizes, native.intScalar(0)],
      { num_split: shapes.length },
      shapes.length,
    );
    for (const [index, { name }] of this.#specs.entries()) {
      this.#variables.replace(name, native.run('Reshape', [parts[index]!, native.list(shapes[index]!)]));
    }
    native.free(...parts);
  }
}

/** gradient - mean(gradient) over the inputs of each output (arXiv 2004.01461); vectors stay. Frees `gradient`. */
export function centralizeGradient(
  native: Native,
  gradient: Tensor,
  { layout }: Pick<ParameterSpec, 'layout'>,
): Tensor {
  if (gradient.shape.length < 2) return gradient;
  const axes = layout === 'plain' ? gradient.shape.map((_, axis) => axis).slice(1) : CENTRAL_AXES[layout];
  const mean = native.run('Mean', [gradient, native.list(axes)], { keep_dims: true });
  const central = native.run('Sub', [gradient, mean]);
  native.free(mean, gradient);
  return central;
}

/** Scales `gradient` down to norm `limit` where it is longer. Frees `gradient`. */
export function clipByNorm(native: Native, gradient: Tensor, limit: number): Tensor {
  const half = native.run('L2Loss', [gradient]);
  const norm = Math.sqrt(2 * native.read(half)[0]!);
  native.free(half);
  if (!(norm > limit)) return gradient;
  const factor = native.floats([], Float32Array.of(limit / norm));
  const clipped = native.run('Mul', [gradient, factor]);
  native.free(factor, gradient);
  return clipped;
}
