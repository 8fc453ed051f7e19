/** TF_DataType of the public C API; the binding names only those of tfjs. */
export const DT_FLOAT = 1;
export const DT_INT32 = 3;
export const DT_INT8 = 6;
export const DT_INT64 = 9;
export const DT_BFLOAT16 = 14;
export const DT_HALF = 19;

/**
 * Attributes of a kernel, by name. A number is an int, a `{ float }` a float, a `{ type }` a data type, a `{ shape }` a
 * shape. Those that TensorFlow infers from the inputs (most `T`) or has a default for are left out.
 */
export type Attributes = Record<
  string,
  boolean | number | string | number[] | { float: number } | { type: number } | { shape: number[] }
>;

/**
 * What computes: TensorFlow's kernels, each at once ({@link Native}), or a graph of them that is run later. What is
 * written for it does both.
 */
export interface Kernels<Value> {
  /** Products of matrices have fewer bits on a GPU. */
  readonly usesGpu: boolean;
  /** A kernel with one output. All its types are given, but for a `T` that is that of one input (and not of a list). */
  run(kernel: string, inputs: readonly Value[], attributes?: Attributes): Value;
  runMany(kernel: string, inputs: readonly Value[], attributes: Attributes, outputs: number): Value[];
  /** A constant int32 list. */
  list(values: readonly number[]): Value;
  /** A constant int32. */
  intScalar(value: number): Value;
  /** A constant float32. */
  scalar(value: number): Value;
  /** Constant float32 zeros. */
  zeros(shape: readonly number[]): Value;
  /** Values of one data type, one behind the other along an axis. */
  join(parts: readonly Value[], axis: number): Value;
  /** A copy in another data type. */
  cast(value: Value, dtype: number): Value;
  free(...values: readonly Value[]): void;
}

/** A product of two float32 matrices, computed in `computeType`; float32 again. */
export function product<Value>(
  kernels: Kernels<Value>,
  computeType: number,
  kernel: 'MatMul' | 'BatchMatMulV2',
  [a, b]: readonly [Value, Value],
  attributes: Attributes = {},
): Value {
  if (computeType === DT_FLOAT) return kernels.run(kernel, [a, b], attributes);
  const [left, right] = [kernels.cast(a, computeType), kernels.cast(b, computeType)];
  const result = kernels.run(kernel, [left, right], attributes);
  const exact = kernels.cast(result, DT_FLOAT);
  kernels.free(left, right, result);
  return exact;
}
