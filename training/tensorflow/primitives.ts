import type { Attributes, Native, Tensor } from './native.js';
import type { Tape } from './tape.js';

/** Differentiable building blocks over native kernels. Shapes are NumPy's; broadcasting as in TensorFlow. */

/** Sums a gradient over the axes along which `shape` was broadcast. Takes ownership of `gradient`. */
function sumToShape(tape: Tape, gradient: Tensor, shape: readonly number[]): Tensor {
  const { native } = tape;
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < extra || (shape[axis - extra] === 1 && gradient.shape[axis] !== 1));
  if (axes.length === 0) return gradient;
  const summed = native.run('Sum', [gradient, native.list(axes)], { keep_dims: true });
  native.free(gradient);
  if (summed.shape.length === shape.length) return summed;
  const reshaped = native.run('Reshape', [summed, native.list(shape)]);
  native.free(summed);
  return reshaped;
}

/** The same values in another data type. */
export function cast(tape: Tape, x: Tensor, dtype: number): Tensor {
  if (x.dtype === dtype) return x;
  const [result] = tape.keep(tape.native.cast(x, dtype));
  return tape.record(result!, [x], (gradient) => tape.accumulate(x, tape.native.cast(gradient, x.dtype)));
}

/** A product of two float32 matrices, computed in the tape's compute type; float32 again and the caller's to free. */
function product(tape: Tape, kernel: string, a: Tensor, b: Tensor, attributes: Attributes): Tensor {
  const { native, computeType } = tape;
  if (computeType === native.float32) return native.run(kernel, [a, b], attributes);
  const [left, right] = [native.cast(a, computeType), native.cast(b, computeType)];
  const result = native.run(kernel, [left, right], attributes);
  const exact = native.cast(result, native.float32);
  native.free(left, right, result);
  return exact;
}

export function add(tape: Tape, a: Tensor, b: Tensor): Tensor {
  return tape.record(tape.run('AddV2', [a, b]), [a, b], (gradient) => {
    for (const input of [a, b]) {
      if (!tape.needsGradient(input)) continue;
      tape.accumulate(input, sumToShape(tape, tape.native.run('Identity', [gradient]), input.shape));
    }
  });
}

export function multiply(tape: Tape, a: Tensor, b: Tensor): Tensor {
  return tape.record(tape.run('Mul', [a, b]), [a, b], (gradient) => {
    if (tape.needsGradient(a)) tape.accumulate(a, sumToShape(tape, tape.native.run('Mul', [gradient, b]), a.shape));
    if (tape.needsGradient(b)) tape.accumulate(b, sumToShape(tape, tape.native.run('Mul', [gradient, a]), b.shape));
  });
}

export function divide(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const result = tape.run('RealDiv', [a, b]);
  return tape.record(result, [a, b], (gradient) => {
    const { native } = tape;
    const scaled = native.run('RealDiv', [gradient, b]);
    if (tape.needsGradient(b)) {
      const product = native.run('Mul', [scaled, result]);
      const negative = native.run('Neg', [product]);
      native.free(product);
      tape.accumulate(b, sumToShape(tape, negative, b.shape));
    }
    tape.accumulate(a, sumToShape(tape, scaled, a.shape));
  });
}

/** x * factor for a constant number. */
export function scale(tape: Tape, x: Tensor, factor: number): Tensor {
  const scaled = (value: Tensor) => tape.native.run('Mul', [value, tape.native.scalar(factor)]);
  const [result] = tape.keep(scaled(x));
  return tape.record(result!, [x], (gradient) => tape.accumulate(x, scaled(gradient)));
}

/** x * factor + offset for constant numbers. */
export function scaleShift(tape: Tape, x: Tensor, factor: number, offset: number): Tensor {
  const { native } = tape;
  const scaled = native.run('Mul', [x, native.scalar(factor)]);
  const result = tape.run('AddV2', [scaled, native.scalar(offset)]);
  native.free(scaled);
  return tape.record(result, [x], (gradient) => {
    tape.accumulate(x, native.run('Mul', [gradient, native.scalar(factor)]));
  });
}

/** Matrix product of the last two axes; leading axes are batch axes. */
export function matMul(tape: Tape, a: Tensor, b: Tensor, transposeB = false): Tensor {
  const [result] = tape.keep(product(tape, 'BatchMatMulV2', a, b, { adj_y: transposeB }));
  return tape.record(result!, [a, b], (gradient) => {
    if (tape.needsGradient(a)) {
      tape.accumulate(a, product(tape, 'BatchMatMulV2', gradient, b, { adj_y: !transposeB }));
    }
    if (!tape.needsGradient(b)) return;
    const [left, right] = transposeB ? [gradient, a] : [a, gradient];
    tape.accumulate(b, product(tape, 'BatchMatMulV2', left, right, { adj_x: true }));
  });
}

/** x (rows, in) times weight (out, in) transposed, plus bias (out). */
export function dense(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const result = affine(tape, x, weight, bias);
  tape.keep(result);
  return tape.record(result, [x, weight, bias], (gradient) => denseBackward(tape, x, weight, bias, gradient));
}

/** Weight (out, in) and bias (out) of a linear layer. */
interface LinearTensors {
  weight: Tensor;
  bias: Tensor;
}

/**
 * Two linear layers with ReLU and dropout between them. Its backward needs no more of the wide values between them than
 * those that remain: what ReLU or dropout has zeroed is zero there. The first bias is one more column of the weight, for
 * an input of ones: each pass over the wide values takes as long as a fifth of their product.
 *
 * @param kept `scale` for what dropout keeps of the values between, else 0; null for no dropout. Freed.
 */
export function feedForward(
  tape: Tape,
  x: Tensor,
  inner: LinearTensors,
  outer: LinearTensors,
  kept: Tensor | null,
  scale: number,
): Tensor {
  const { native } = tape;
  const [features, width] = [x.shape[1]!, inner.bias.shape[0]!];
  const column = native.run('Reshape', [inner.bias, native.list([width, 1])]);
  const input = native.join([x, native.ones([x.shape[0]!, 1])], 1);
  const weight = native.join([inner.weight, column], 1);
  const before = product(tape, 'MatMul', input, weight, { transpose_b: true });
  let wide = native.run('Relu', [before]);
  if (kept) {
    const masked = native.run('Mul', [wide, kept]);
    native.free(wide, kept);
    wide = masked;
  }
  tape.keep(input, wide);
  // To turn the weight first takes less time than the product with the unturned one takes longer.
  const turned = native.run('Transpose', [outer.weight, native.list([1, 0])]);
  const narrow = product(tape, 'MatMul', wide, turned, {});
  const result = native.run('BiasAdd', [narrow, outer.bias]);
  tape.keep(result);
  native.free(column, weight, before, turned, narrow);
  return tape.record(result, [x, inner.weight, inner.bias, outer.weight, outer.bias], (gradient) => {
    if (tape.needsGradient(outer.bias)) tape.accumulate(outer.bias, sumOfRows(native, gradient));
    if (tape.needsGradient(outer.weight)) {
      tape.accumulate(outer.weight, product(tape, 'MatMul', gradient, wide, { transpose_a: true }));
    }
    // Scaled where it is narrow.
    const scaled = native.run('Mul', [gradient, native.scalar(scale)]);
    const wideGradient = product(tape, 'MatMul', scaled, outer.weight, {});
    const slope = native.run('ReluGrad', [wideGradient, wide]);
    if (tape.needsGradient(x)) tape.accumulate(x, product(tape, 'MatMul', slope, inner.weight, {}));
    if (tape.needsGradient(inner.weight, inner.bias)) {
      const joint = product(tape, 'MatMul', slope, input, { transpose_a: true });
      const part = (from: number, columns: number) =>
        native.run('Slice', [joint, native.list([0, from]), native.list([width, columns])]);
      tape.accumulate(inner.weight, part(0, features));
      const last = part(features, 1);
      tape.accumulate(inner.bias, native.run('Reshape', [last, native.list([width])]));
      native.free(joint, last);
    }
    native.free(scaled, wideGradient, slope);
  });
}

/**
 * (rows, columns) to (columns). On the processor the product with ones takes a third of the reduction's time; a GPU
 * computes products with fewer bits.
 */
function sumOfRows(native: Native, x: Tensor): Tensor {
  if (native.usesGpu) return native.run('BiasAddGrad', [x]);
  const [rows, columns] = x.shape as [number, number];
  const row = native.run('MatMul', [native.ones([1, rows]), x], {});
  const sums = native.run('Reshape', [row, native.list([columns])]);
  native.free(row);
  return sums;
}

function affine(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const linear = product(tape, 'MatMul', x, weight, { transpose_b: true });
  const result = tape.native.run('BiasAdd', [linear, bias]);
  tape.native.free(linear);
  return result;
}

function denseBackward(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor, gradient: Tensor): void {
  const { native } = tape;
  if (tape.needsGradient(x)) tape.accumulate(x, product(tape, 'MatMul', gradient, weight, {}));
  if (tape.needsGradient(weight)) {
    tape.accumulate(weight, product(tape, 'MatMul', gradient, x, { transpose_a: true }));
  }
  if (tape.needsGradient(bias)) tape.accumulate(bias, sumOfRows(native, gradient));
}

export function reshape(tape: Tape, x: Tensor, shape: readonly number[]): Tensor {
  const result = tape.run('Reshape', [x, tape.native.list(shape)]);
  return tape.record(result, [x], (gradient) => {
    tape.accumulate(x, tape.native.run('Reshape', [gradient, tape.native.list(x.shape)]));
  });
}

export function transpose(tape: Tape, x: Tensor, permutation: readonly number[]): Tensor {
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  const result = tape.run('Transpose', [x, tape.native.list(permutation)]);
  return tape.record(result, [x], (gradient) => {
    tape.accumulate(x, tape.native.run('Transpose', [gradient, tape.native.list(inverse)]));
  });
}

/** Part of a tensor; begin and size as in `tf.slice`. */
export function slice(tape: Tape, x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  const { native } = tape;
  const result = tape.run('Slice', [x, native.list(begin), native.list(size)]);
  return tape.record(result, [x], (gradient) => {
    const paddings = begin.flatMap((from, axis) => [from, x.shape[axis]! - from - result.shape[axis]!]);
    const table = native.ints([begin.length, 2], Int32Array.from(paddings));
    tape.accumulate(x, native.run('Pad', [gradient, table]));
    native.free(table);
  });
}

/** The slices along the first axis, which goes. */
export function unstack(tape: Tape, x: Tensor): Tensor[] {
  const { native } = tape;
  const count = x.shape[0]!;
  const parts = tape.runMany('Unpack', [x], { num: count }, count);
  tape.recordMany(parts, [x], (gradients) => {
    const whole = gradients.map((gradient, i) => gradient ?? native.run('ZerosLike', [parts[i]!]));
    tape.accumulate(x, native.run('Pack', whole, { N: count, T: { type: x.dtype } }));
    native.free(...whole.filter((_, i) => gradients[i] === null));
  });
  return parts;
}

export function concat(tape: Tape, parts: readonly Tensor[], axis: number): Tensor {
  const { native } = tape;
  const [result] = tape.keep(native.join(parts, axis));
  return tape.record(result!, parts, (gradient) => {
    const sizes = native.list(parts.map(({ shape }) => shape[axis]!));
    const gradients = native.runMany(
      'SplitV',
      [gradient, sizes, native.intScalar(axis)],
      { num_split: parts.length },
      parts.length,
    );
    for (const [index, part] of parts.entries()) tape.accumulate(part, gradients[index]!);
  });
}

/** Sum over one axis, which stays with size 1. */
export function sumAxis(tape: Tape, x: Tensor, axis: number): Tensor {
  const { native } = tape;
  const result = tape.run('Sum', [x, native.list([axis])], { keep_dims: true });
  return tape.record(result, [x], (gradient) => {
    tape.accumulateBroadcast(x, native.run('Identity', [gradient]));
  });
}

export function sigmoid(tape: Tape, x: Tensor): Tensor {
  const result = tape.run('Sigmoid', [x]);
  return tape.record(result, [x], (gradient) => tape.accumulate(x, tape.native.run('SigmoidGrad', [result, gradient])));
}

export function tanh(tape: Tape, x: Tensor): Tensor {
  const result = tape.run('Tanh', [x]);
  return tape.record(result, [x], (gradient) => tape.accumulate(x, tape.native.run('TanhGrad', [result, gradient])));
}

/** Softmax over the last axis. */
export function softmax(tape: Tape, x: Tensor): Tensor {
  const { native } = tape;
  const result = tape.run('Softmax', [x]);
  return tape.record(result, [x], (gradient) => {
    const weighed = native.run('Mul', [gradient, result]);
    const total = native.run('Sum', [weighed, native.list([x.shape.length - 1])], { keep_dims: true });
    const share = native.run('Mul', [result, total]);
    tape.accumulate(x, native.run('Sub', [weighed, share]));
    native.free(weighed, total, share);
  });
}

/**
 * Normalises the last axis to mean 0 and variance 1, then scales and shifts (arXiv 1607.06450).
 * @param gain (features)
 * @param shift (features)
 */
export function layerNorm(tape: Tape, x: Tensor, gain: Tensor, shift: Tensor, epsilon: number): Tensor {
  const { native } = tape;
  const last = native.list([x.shape.length - 1]);
  const mean = (value: Tensor) => native.run('Mean', [value, last], { keep_dims: true });
  const average = mean(x);
  const centred = native.run('Sub', [x, average]);
  const square = native.run('Square', [centred]);
  const variance = mean(square);
  native.free(average, square);
  const shifted = native.run('AddV2', [variance, native.scalar(epsilon)]);
  const inverse = tape.run('Rsqrt', [shifted]);
  const normal = tape.run('Mul', [centred, inverse]);
  native.free(centred, variance, shifted);
  const scaled = native.run('Mul', [normal, gain]);
  const result = tape.run('AddV2', [scaled, shift]);
  native.free(scaled);
  return tape.record(result, [x, gain, shift], (gradient) => {
    const rows = native.list(x.shape.map((_, axis) => axis).slice(0, -1));
    if (tape.needsGradient(gain)) {
      const product = native.run('Mul', [gradient, normal]);
      tape.accumulate(gain, native.run('Sum', [product, rows]));
      native.free(product);
    }
    if (tape.needsGradient(shift)) tape.accumulate(shift, native.run('Sum', [gradient, rows]));
    if (!tape.needsGradient(x)) return;
    const g = native.run('Mul', [gradient, gain]);
    const product = native.run('Mul', [g, normal]);
    const meanProduct = mean(product);
    native.free(product);
    const along = native.run('Mul', [normal, meanProduct]);
    const meanG = mean(g);
    const centredG = native.run('Sub', [g, meanG]);
    native.free(g, meanG, meanProduct);
    const difference = native.run('Sub', [centredG, along]);
    native.free(along, centredG);
    tape.accumulate(x, native.run('Mul', [difference, inverse]));
    native.free(difference);
  });
}
