import type { ParameterSpec } from '../models/parameters.js';
import { FlatVariable } from './tensorflow/flat-variable.js';
import { elementsOf, type Native, type Tensor } from './tensorflow/native.js';
import type { Tape } from './tensorflow/tape.js';
import type { NetworkVariables } from './tensorflow/variables.js';

/** Axes of a TensorFlow parameter over which gradient centralisation takes the mean: all but that of the outputs. */
const CENTRAL_AXES = { conv: [0, 1, 2], depthwise: [0, 1, 3] } as const;

/** Parameters start at multiples of this many floats: only then is a slice of the vector a view and no copy. */
const ALIGNMENT = 16;

const paddingOf = (size: number) => (ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT;

/**
 * The trained parameters of a network as one vector, which the optimizer changes in place; the network's variables are
 * views of it. Free it with {@link dispose}, after the variables.
 */
export class FlatParameters {
  readonly #native: Native;
  readonly #variables: NetworkVariables;
  readonly #specs: readonly ParameterSpec[];
  readonly #vector: FlatVariable;

  constructor(native: Native, variables: NetworkVariables, specs: readonly ParameterSpec[]) {
    this.#native = native;
    this.#variables = variables;
    this.#specs = specs;
    const joined = joinFlat(
      native,
      specs.map(({ name }) => variables.get(name)),
      paddingOf,
    );
    this.#vector = new FlatVariable(native, joined);
    native.free(joined);
    this.change(() => {});
  }

  /** Length of the vector, padding included. */
  get count(): number {
    return this.#specs.reduce((sum, { shape }) => sum + elementsOf(shape) + paddingOf(elementsOf(shape)), 0);
  }

  watch(tape: Tape): void {
    for (const { name } of this.#specs) tape.watch(this.#variables.get(name));
  }

  /** (count): all values, not a copy, the caller's to free before the next {@link change}. */
  read(): Tensor {
    return this.#vector.read();
  }

  /** Lets `use` change the vector while nothing holds a view of it, then gives the variables their new values. */
  change(use: (vector: FlatVariable) => void): void {
    const native = this.#native;
    const shapes = this.#specs.map(({ name }) => this.#variables.get(name).shape);
    for (const { name } of this.#specs) this.#variables.release(name);
    use(this.#vector);
    const values = this.#vector.read();
    let start = 0;
    for (const [index, { name }] of this.#specs.entries()) {
      const shape = shapes[index]!;
      const size = elementsOf(shape);
      const part = native.run('Slice', [values, native.list([start]), native.list([size])]);
      const value = shape.length === 1 ? part : native.run('Reshape', [part, native.list(shape)]);
      if (value !== part) native.free(part);
      this.#variables.replace(name, value);
      start += size + paddingOf(size);
    }
    native.free(values);
  }

  /** (count): the gradients after a backward pass, zero where the loss does not depend on a parameter. */
  gatherGradients(tape: Tape, centralize: boolean): Tensor {
    const native = this.#native;
    const gradients = this.#specs.map((spec) => {
      const parameter = this.#variables.get(spec.name);
      const gradient = tape.takeGradient(parameter) ?? native.run('ZerosLike', [parameter]);
      return centralize ? centralizeGradient(native, gradient, spec) : gradient;
    });
    const joined = joinFlat(native, gradients, paddingOf);
    native.free(...gradients);
    return joined;
  }

  dispose(): void {
    this.#vector.dispose();
  }
}

/** All values of the tensors in one vector, the caller's to free; `paddingOf` a size are the zeros that follow it. */
export function joinFlat(native: Native, tensors: readonly Tensor[], paddingOf = (_size: number) => 0): Tensor {
  if (tensors.length === 0) return native.floats([0], new Float32Array(0));
  const reshaped: Tensor[] = [];
  const parts = tensors.flatMap((tensor) => {
    const row = tensor.shape.length === 1 ? tensor : native.run('Reshape', [tensor, native.list([-1])]);
    if (row !== tensor) reshaped.push(row);
    const padding = paddingOf(elementsOf(row.shape));
    return padding === 0 ? [row] : [row, native.zeros([padding])];
  });
  const joined = native.join(parts, 0);
  native.free(...reshaped);
  return joined;
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
