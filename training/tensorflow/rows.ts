import type { Kernels } from './kernels.js';
import { elementsOf, type Native, type Tensor } from './native.js';

/** What graphs, which know no shapes, are given to take a tensor as rows along its last axis. */
export type RowInputs = 'rows' | 'shape' | 'ones';

/** The shape of a tensor as a matrix of rows, its own, and a row (1, rows) of ones; all are kept constants. */
export function rowInputs(native: Native, { shape }: Tensor): Record<RowInputs, Tensor> {
  const features = shape.at(-1)!;
  const rows = elementsOf(shape) / features;
  return { rows: native.list([rows, features]), shape: native.list(shape), ones: native.ones([1, rows]) };
}

/**
 * (rows, columns) to (columns). On the processor the product with ones takes a third of the reduction's time.
 * @param ones (1, rows)
 */
export function sumOfRows<Value>(kernels: Kernels<Value>, x: Value, ones: Value): Value {
  if (kernels.usesGpu) return kernels.run('BiasAddGrad', [x]);
  const row = kernels.run('MatMul', [ones, x]);
  const sums = kernels.run('Reshape', [row, kernels.list([-1])]);
  kernels.free(row);
  return sums;
}

/** The dot product of each row with a vector: (rows, features), (features) -> (rows, 1). */
export function dotEach<Value>(kernels: Kernels<Value>, rows: Value, vector: Value): Value {
  if (kernels.usesGpu) {
    const products = kernels.run('Mul', [rows, vector]);
    const sums = kernels.run('Sum', [products, kernels.list([1])], { keep_dims: true });
    kernels.free(products);
    return sums;
  }
  const column = kernels.run('Reshape', [vector, kernels.list([-1, 1])]);
  const sums = kernels.run('MatMul', [rows, column]);
  kernels.free(column);
  return sums;
}
