/** Blocks of rows of an LSTM's weights: PyTorch has input, forget, cell, output; ONNX input, output, forget, cell. */
const GATES_FROM_TORCH = [0, 3, 1, 2];

/**
 * Reorders the gates of one LSTM weight or bias from PyTorch's order to ONNX's.
 *
 * @param data row-major (4 * hidden, columns); a bias has one column
 */
export function onnxGates(data: Float32Array): Float32Array {
  const block = data.length / GATES_FROM_TORCH.length;
  const result = new Float32Array(data.length);
  for (const [gate, source] of GATES_FROM_TORCH.entries()) {
    result.set(data.subarray(source * block, (source + 1) * block), gate * block);
  }
  return result;
}

/** Arrays one after the other. */
export function concatFloats(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/** Row-major (rows, columns) to row-major (columns, rows). */
export function transposeMatrix(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column]!;
  }
  return result;
}
