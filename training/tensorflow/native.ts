import { performance } from 'node:perf_hooks';
import { MerError } from '../../common/errors.js';

/** A TensorFlow tensor: a handle of the binding, freed by hand. Row-major; images are channels-last. */
export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

type AttributeValue = boolean | number | string | number[];

interface Attribute {
  name: string;
  type: number;
  value: AttributeValue;
}

/** What is used of the binding of @tensorflow/tfjs-node-gpu: native kernels by name. */
interface Binding {
  createTensor(shape: readonly number[], dtype: number, data: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array | BigInt64Array;
  executeOp(
    name: string,
    attributes: Attribute[],
    inputs: number[],
    outputs: number,
  ): { id: number; shape: number[]; dtype: number }[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  TF_FLOAT: number;
  TF_INT32: number;
  TF_INT64: number;
  TF_UINT8: number;
  TF_ATTR_STRING: number;
  TF_ATTR_INT: number;
  TF_ATTR_FLOAT: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_SHAPE: number;
  TF_Version: string;
}

function hasBinding(backend: unknown): backend is { binding: Binding } {
  if (typeof backend !== 'object' || backend === null || !('binding' in backend)) return false;
  const { binding } = backend;
  return typeof binding === 'object' && binding !== null && 'executeOp' in binding && 'createTensor' in binding;
}

/**
 * Attributes of a kernel, by name. A number is an int, a `{ float }` a float, a `{ type }` a data type, a `{ shape }` a
 * shape.
 * Those that TensorFlow infers from the inputs (most `T`) or has a default for are left out.
 */
export type Attributes = Record<
  string,
  boolean | number | string | number[] | { float: number } | { type: number } | { shape: number[] }
>;

/** TF_DataType of the public C API; the binding names only those of tfjs. */
const DT_INT8 = 6;
const DT_BFLOAT16 = 14;
const DT_HALF = 19;

/** Bytes of one element; 1 for those not listed (bytes, booleans). */
const ELEMENT_BYTES = new Map([
  [1, 4],
  [3, 4],
  [9, 8],
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
 * TensorFlow's native kernels, called one by one. The tfjs layers above the binding (engine, gradients, memory scopes)
 * are not used: they keep every intermediate to the end of a step and do not know half-precision types.
 */
export class Native {
  readonly #binding: Binding;
  /** Small constant tensors (axes, shapes, scalars), made once and kept: each is used in every step. */
  readonly #constants = new Map<string, Tensor>();
  readonly #observers = new Set<KernelObserver>();
  readonly float32: number;
  readonly int32: number;
  readonly uint8: number;
  readonly int8 = DT_INT8;
  readonly bfloat16 = DT_BFLOAT16;
  readonly half = DT_HALF;
  readonly int64: number;

  private constructor(binding: Binding) {
    this.#binding = binding;
    this.float32 = binding.TF_FLOAT;
    this.int32 = binding.TF_INT32;
    this.uint8 = binding.TF_UINT8;
    this.int64 = binding.TF_INT64;
  }

  /** @throws MerError missing_part when TensorFlow is not installed */
  static async load(): Promise<Native> {
    // Read by the library when it starts; quiet unless asked.
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
    process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
    let backend: unknown;
    try {
      const tf = await import('@tensorflow/tfjs-node-gpu');
      await tf.ready();
      backend = tf.backend();
    } catch (error) {
      throw new MerError('missing_part', 'TensorFlow cannot be loaded.', 'Run `npm run setup -- --for train`.', {
        cause: error,
      });
    }
    if (!hasBinding(backend)) {
      throw new MerError(
        'missing_part',
        'TensorFlow runs without its native kernels.',
        'Run `npm run setup -- --for train`.',
      );
    }
    return new Native(backend.binding);
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
    const start = this.#observers.size > 0 ? performance.now() : 0;
    const results = this.#binding.executeOp(
      kernel,
      list,
      inputs.map(({ id }) => id),
      outputs,
    );
    if (this.#observers.size > 0) {
      const milliseconds = performance.now() - start;
      for (const observer of this.#observers) observer(kernel, inputs, results, milliseconds);
    }
    return results;
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
