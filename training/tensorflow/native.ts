import { performance } from 'node:perf_hooks';
import { type Attribute, type Binding, loadBinding, type Tensor } from './binding.js';
import type { GraphKernel, Named } from './graph-kernel.js';
import { GraphSessions } from './graph-sessions.js';
import {
  type Attributes,
  DT_BFLOAT16,
  DT_FLOAT,
  DT_HALF,
  DT_INT8,
  DT_INT32,
  DT_INT64,
  type Kernels,
} from './kernels.js';

export type { Tensor } from './binding.js';

/** Bytes of one element; 1 for those not listed (bytes, booleans). */
const ELEMENT_BYTES = new Map([
  [DT_FLOAT, 4],
  [DT_INT32, 4],
  [DT_INT64, 8],
  [DT_BFLOAT16, 2],
  [DT_HALF, 2],
]);

/** How many numbers a tensor of a shape holds. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Told of every kernel that has run: its name, inputs, outputs and milliseconds (on a GPU: those until it was queued). */
export type KernelObserver = (
  kernel: string,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  milliseconds: number,
) => void;

/**
 * TensorFlow's native kernels, called one by one or as graphs. The tfjs layers above the binding (engine, gradients,
 * memory scopes) are not used: they keep every intermediate to the end of a step and do not know half-precision types.
 */
export class Native implements Kernels<Tensor> {
  readonly #binding: Binding;
  /** Small constant tensors (axes, shapes, scalars), made once and kept: each is used in every step. */
  readonly #constants = new Map<string, Tensor>();
  readonly #observers = new Set<KernelObserver>();
  readonly #graphs: GraphSessions;
  readonly float32: number;
  readonly int32: number;
  readonly uint8: number;
  readonly int8 = DT_INT8;
  readonly bfloat16 = DT_BFLOAT16;
  readonly half = DT_HALF;
  readonly int64: number;

  private constructor(binding: Binding) {
    this.#binding = binding;
    this.#graphs = new GraphSessions(binding);
    this.float32 = binding.TF_FLOAT;
    this.int32 = binding.TF_INT32;
    this.uint8 = binding.TF_UINT8;
    this.int64 = binding.TF_INT64;
  }

  /** @throws MerError missing_part when TensorFlow is not installed */
  static async load(): Promise<Native> {
    return new Native(await loadBinding());
  }

  get version(): string {
    return this.#binding.TF_Version;
  }

  get usesGpu(): boolean {
    return this.#binding.isUsingGpuDevice();
  }

  /** Tensors alive in the whole process, to find leaks. */
  get tensorCount(): number {
    return this.#binding.getNumOfTensors();
  }

  /** @param data is not copied: it must not change as long as the tensor lives */
  floats(shape: readonly number[], data: Float32Array): Tensor {
    return { id: this.#binding.createTensor(shape, this.float32, data), shape, dtype: this.float32 };
  }

  ints(shape: readonly number[], data: Int32Array): Tensor {
    return { id: this.#binding.createTensor(shape, this.int32, data), shape, dtype: this.int32 };
  }

  bytes(shape: readonly number[], data: Uint8Array): Tensor {
    return { id: this.#binding.createTensor(shape, this.uint8, data), shape, dtype: this.uint8 };
  }

  /** A float scalar that is kept for the life of the process. */
  scalar(value: number): Tensor {
    return this.#constant(`f${value}`, () => this.floats([], Float32Array.of(value)));
  }

  /** {@link scalar} in the data type of another tensor. */
  scalarLike(value: number, { dtype }: Tensor): Tensor {
    if (dtype === this.float32) return this.scalar(value);
    return this.#constant(`c${dtype},${value}`, () => this.cast(this.scalar(value), dtype));
  }

  /** An int32 list (axes, a shape, a permutation) that is kept for the life of the process. */
  list(values: readonly number[]): Tensor {
    return this.#constant(`i${values.join()}`, () => this.ints([values.length], Int32Array.from(values)));
  }

  intScalar(value: number): Tensor {
    return this.#constant(`s${value}`, () => this.ints([], Int32Array.of(value)));
  }

  byteScalar(value: number): Tensor {
    return this.#constant(`b${value}`, () => this.cast(this.intScalar(value), this.int8));
  }

  longScalar(value: number): Tensor {
    return this.#constant(`l${value}`, () => {
      const id = this.#binding.createTensor([], this.#binding.TF_INT64, Int32Array.of(value, 0));
      return { id, shape: [], dtype: this.#binding.TF_INT64 };
    });
  }

  /** A new tensor of one value. */
  filled(shape: readonly number[], value: number): Tensor {
    return this.run('Fill', [this.list(shape), this.scalar(value)]);
  }

  /** Tensors of one data type, one behind the other along an axis; the caller's to free. */
  join(parts: readonly Tensor[], axis: number): Tensor {
    const type = { type: parts[0]!.dtype };
    return this.run('ConcatV2', [...parts, this.intScalar(axis)], { N: parts.length, T: type });
  }

  /** A kept tensor of zeros. */
  zeros(shape: readonly number[]): Tensor {
    return this.#constant(`z${shape.join()}`, () => this.floats(shape, new Float32Array(elementsOf(shape))));
  }

  /** A kept tensor of ones. */
  ones(shape: readonly number[]): Tensor {
    return this.#constant(`o${shape.join()}`, () => this.floats(shape, new Float32Array(elementsOf(shape)).fill(1)));
  }

  #constant(key: string, make: () => Tensor): Tensor {
    let tensor = this.#constants.get(key);
    if (tensor === undefined) {
      tensor = make();
      this.#constants.set(key, tensor);
    }
    return tensor;
  }

  /** Runs a kernel with one output. */
  run(kernel: string, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
    return this.runMany(kernel, inputs, attributes, 1)[0]!;
  }

  runMany(kernel: string, inputs: readonly Tensor[], attributes: Attributes, outputs: number): Tensor[] {
    const list: Attribute[] = [];
    for (const name in attributes) list.push(this.#attribute(name, attributes[name]!));
    const start = performance.now();
    const results = this.#binding.executeOp(
      kernel,
      list,
      inputs.map(({ id }) => id),
      outputs,
    );
    this.#report(kernel, inputs, results, start);
    return results;
  }

  /**
   * Runs a graph kernel. On a GPU its kernels are called one by one: a session takes its inputs from the memory of the
   * processor.
   *
   * @returns the caller's to free
   */
  runGraph<In extends string, Out extends string>(
    kernel: GraphKernel<In, Out>,
    inputs: Named<In, Tensor>,
  ): Named<Out, Tensor> {
    if (this.usesGpu) return kernel.compute(this, inputs);
    const start = performance.now();
    const outputs = this.#graphs.run(kernel, inputs);
    this.#report(kernel.name, Object.values<Tensor>(inputs), Object.values<Tensor>(outputs), start);
    return outputs;
  }

  #report(kernel: string, inputs: readonly Tensor[], outputs: readonly Tensor[], start: number): void {
    if (this.#observers.size === 0) return;
    const milliseconds = performance.now() - start;
    for (const observer of this.#observers) observer(kernel, inputs, outputs, milliseconds);
  }

  /** Forgets what is kept of graph kernels which are not run again. */
  unload(...kernels: readonly object[]): void {
    for (const kernel of kernels) this.#graphs.unload(kernel);
  }

  /**
   * Reports every kernel from now on.
   * @returns ends it
   */
  observe(observer: KernelObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  bytesOf({ shape, dtype }: Tensor): number {
    return elementsOf(shape) * (ELEMENT_BYTES.get(dtype) ?? 1);
  }

  /** @returns a copy in another data type, the caller's to free */
  cast(tensor: Tensor, dtype: number): Tensor {
    return this.run('Cast', [tensor], { SrcT: { type: tensor.dtype }, DstT: { type: dtype } });
  }

  #attribute(name: string, value: Attributes[string]): Attribute {
    const { TF_ATTR_BOOL, TF_ATTR_FLOAT, TF_ATTR_INT, TF_ATTR_SHAPE, TF_ATTR_STRING, TF_ATTR_TYPE } = this.#binding;
    if (typeof value === 'boolean') return { name, type: TF_ATTR_BOOL, value };
    if (typeof value === 'string') return { name, type: TF_ATTR_STRING, value };
    if (typeof value === 'number' || Array.isArray(value)) return { name, type: TF_ATTR_INT, value };
    if ('float' in value) return { name, type: TF_ATTR_FLOAT, value: value.float };
    if ('shape' in value) return { name, type: TF_ATTR_SHAPE, value: value.shape };
    return { name, type: TF_ATTR_TYPE, value: value.type };
  }

  free(...tensors: readonly Tensor[]): void {
    for (const tensor of tensors) this.#binding.deleteTensor(tensor.id);
  }

  /** Copies a float tensor out. */
  read(tensor: Tensor): Float32Array {
    const data = this.#binding.tensorDataSync(tensor.id);
    if (!(data instanceof Float32Array)) throw new TypeError('read() of a tensor that is not float32');
    return data;
  }
}
