import { MerError } from '../../common/errors.js';

/** An attribute of a kernel, by the type that TensorFlow has for it. */
export interface Attribute {
  name: string;
  type: number;
  value: boolean | number | string | number[];
}

/** A TensorFlow tensor: a handle of the binding, freed by hand. Row-major; images are channels-last. */
export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** What is used of the binding of @tensorflow/tfjs-node-gpu: native kernels by name, and graphs. */
export interface Binding {
  createTensor(shape: readonly number[], dtype: number, data: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array | BigInt64Array;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Tensor[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  /** Names are joined by commas. */
  runSavedModel(session: number, inputs: number[], inputNames: string, outputNames: string): Tensor[];
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

/** @throws MerError missing_part when TensorFlow is not installed */
export async function loadBinding(): Promise<Binding> {
  // Read by the library when it starts; quiet unless asked.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  // Graphs run in the thread that asks.
  process.env.TF_NUM_INTEROP_THREADS ??= '-1';
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
  return backend.binding;
}
