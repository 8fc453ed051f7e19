import type { ParameterSpec } from '../models/parameters.js';
import { FlatVariable } from './tensorflow/flat-variable.js';
import { GraphKernel } from './tensorflow/graph-kernel.js';
import { DT_INT32, type Kernels } from './tensorflow/kernels.js';
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
  /** From the vector to the parameters, as views of it. */
  readonly #views: GraphKernel<'vector', string>;
  /** From the gradients of the parameters to the vector of them. */
  readonly #joined: GraphKernel<string, 'vector'>;

  constructor(
    native: Native,
    variables: NetworkVariables,
    specs: readonly ParameterSpec[],
    { centralizesGradients }: { centralizesGradients: boolean },
  ) {
    this.#native = native;
    this.#variables = variables;
    this.#specs = specs;
    const shapes = specs.map(({ name }) => variables.get(name).shape);
    const paddings = shapes.map((shape) => paddingOf(elementsOf(shape)));
    this.#views = new GraphKernel('Views', (kernels, { vector }) => named(viewsOf(kernels, vector, shapes)));
    this.#joined = new GraphKernel('GatherGradients', (kernels, gradients) => {
      const given = Object.values(gradients);
      const values = centralizesGradients
        ? given.map((value, i) => centralizeGradient(kernels, value, specs[i]!))
        : given;
      const vector = joinFlat(kernels, values, paddings);
      kernels.free(...values.filter((value, i) => value !== given[i]));
      return { vector };
    });
    const joined = joinFlat(
      native,
      specs.map(({ name }) => variables.get(name)),
      paddings,
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
    for (const { name } of this.#specs) this.#variables.release(name);
    use(this.#vector);
    const values = this.#vector.read();
    const views = Object.values(this.#native.runGraph(this.#views, { vector: values }));
    for (const [i, { name }] of this.#specs.entries()) this.#variables.replace(name, views[i]!);
    this.#native.free(values);
  }

  /** (count): the gradients after a backward pass, zero where the loss does not depend on a parameter. */
  gatherGradients(tape: Tape): Tensor {
    const native = this.#native;
    const gradients = this.#specs.map(({ name }) => {
      const parameter = this.#variables.get(name);
      return tape.takeGradient(parameter) ?? native.run('ZerosLike', [parameter]);
    });
    const { vector } = native.runGraph(this.#joined, named(gradients));
    native.free(...gradients);
    return vector;
  }

  dispose(): void {
    this.#vector.dispose();
    this.#native.unload(this.#views, this.#joined);
  }
}

/** Values by their number. */
function named<Value>(values: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(values.map((value, i) => [`value${i}`, value]));
}

/** The parameters of a vector, each of its shape. */
function viewsOf<Value>(kernels: Kernels<Value>, vector: Value, shapes: readonly (readonly number[])[]): Value[] {
  let start = 0;
  return shapes.map((shape) => {
    const size = elementsOf(shape);
    const part = kernels.run('Slice', [vector, kernels.list([start]), kernels.list([size])], {
      Index: { type: DT_INT32 },
    });
    const value = kernels.run('Reshape', [part, kernels.list(shape)]);
    kernels.free(part);
    start += size + paddingOf(size);
    return value;
  });
}

/** All values of the tensors in one vector, the caller's to free; `paddings` are how many zeros follow each. */
export function joinFlat<Value>(
  kernels: Kernels<Value>,
  values: readonly Value[],
  paddings: readonly number[] = [],
): Value {
  const rows = values.map((value) => kernels.run('Reshape', [value, kernels.list([-1])]));
  const parts = rows.flatMap((row, i) => (paddings[i] ? [row, kernels.zeros([paddings[i]])] : [row]));
  const joined = kernels.join(parts, 0);
  kernels.free(...rows);
  return joined;
}

/**
 * gradient - mean(gradient) over the inputs of each output (arXiv 2004.01461); vectors stay.
 * @returns the caller's to free, where it is another than `gradient`
 */
export function centralizeGradient<Value>(
  kernels: Kernels<Value>,
  gradient: Value,
  { layout, shape }: Pick<ParameterSpec, 'layout' | 'shape'>,
): Value {
  if (shape.length < 2) return gradient;
  const axes = layout === 'plain' ? shape.map((_, axis) => axis).slice(1) : CENTRAL_AXES[layout];
  const mean = kernels.run('Mean', [gradient, kernels.list(axes)], { keep_dims: true });
  const central = kernels.run('Sub', [gradient, mean]);
  kernels.free(mean);
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
