import { product } from './kernels.js';
import type { Tensor } from './native.js';
import { sumOfRows } from './rows.js';
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

/** x (rows, in) times weight (out, in) transposed, plus bias (out). */
export function dense(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { native, computeType } = tape;
  const linear = product(native, computeType, 'MatMul', [x, weight], { transpose_b: true });
  const result = tape.run('BiasAdd', [linear, bias]);
  native.free(linear);
  return tape.record(result, [x, weight, bias], (gradient) => {
    if (tape.needsGradient(x)) tape.accumulate(x, product(native, computeType, 'MatMul', [gradient, weight]));
    if (tape.needsGradient(weight)) {
      tape.accumulate(weight, product(native, computeType, 'MatMul', [gradient, x], { transpose_a: true }));
    }
    if (tape.needsGradient(bias)) {
      tape.accumulate(bias, sumOfRows(native, gradient, native.ones([1, gradient.shape[0]!])));
    }
  });
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
