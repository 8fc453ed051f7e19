import type { Padding } from '../../models/ops.js';
import { GraphKernel } from './graph-kernel.js';
import type { Attributes } from './kernels.js';
import type { Tensor } from './native.js';
import type { Tape } from './tape.js';

/**
 * Differentiable image operations; images are (batch, height, width, channels). In mixed precision images are in half
 * precision from the first convolution on, and filters are cast where they are used.
 */

export interface ConvolutionShape {
  kernel: number;
  stride: number;
  padding: Padding;
}

function convolutionAttributes({ stride, padding }: ConvolutionShape): Attributes {
  const { top, bottom, left, right } = padding;
  if (top + bottom + left + right === 0) return { strides: [1, stride, stride, 1], padding: 'VALID' };
  return {
    strides: [1, stride, stride, 1],
    padding: 'EXPLICIT',
    explicit_paddings: [0, 0, top, bottom, left, right, 0, 0],
  };
}

/** @param filter (height, width, in, out) */
export function conv2d(tape: Tape, x: Tensor, filter: Tensor, shape: ConvolutionShape): Tensor {
  const { native } = tape;
  const attributes = convolutionAttributes(shape);
  return tape.record(tape.run('Conv2D', [x, filter], attributes), [x, filter], (gradient) => {
    if (tape.needsGradient(x)) {
      const size = native.list(x.shape);
      tape.accumulate(x, native.run('Conv2DBackpropInput', [size, filter, gradient], attributes));
    }
    if (tape.needsGradient(filter)) {
      const size = native.list(filter.shape);
      tape.accumulate(filter, native.run('Conv2DBackpropFilter', [x, size, gradient], attributes));
    }
  });
}

/** @param filter (height, width, channels, 1) */
export function depthwiseConv2d(tape: Tape, x: Tensor, filter: Tensor, shape: ConvolutionShape): Tensor {
  const { native } = tape;
  const attributes = convolutionAttributes(shape);
  return tape.record(tape.run('DepthwiseConv2dNative', [x, filter], attributes), [x, filter], (gradient) => {
    if (tape.needsGradient(x) && shape.stride === 1) {
      tape.accumulate(x, turnedDepthwise(tape, gradient, filter, shape));
    } else if (tape.needsGradient(x)) {
      const size = native.list(x.shape);
      tape.accumulate(x, native.run('DepthwiseConv2dNativeBackpropInput', [size, filter, gradient], attributes));
    }
    if (tape.needsGradient(filter)) {
      const size = native.list(filter.shape);
      tape.accumulate(filter, native.run('DepthwiseConv2dNativeBackpropFilter', [x, size, gradient], attributes));
    }
  });
}

/**
 * The gradient of the input of a depthwise convolution of stride 1: a convolution of the gradient with the filter
 * turned by half a circle, which takes a quarter of the time of the kernel that is made for it.
 */
function turnedDepthwise({ native }: Tape, gradient: Tensor, filter: Tensor, shape: ConvolutionShape): Tensor {
  const turned = native.run('ReverseV2', [filter, native.list([0, 1])]);
  const rest = (before: number) => shape.kernel - 1 - before;
  const { top, bottom, left, right } = shape.padding;
  const padding = { top: rest(top), bottom: rest(bottom), left: rest(left), right: rest(right) };
  const attributes = convolutionAttributes({ ...shape, padding });
  const result = native.run('DepthwiseConv2dNative', [gradient, turned], attributes);
  native.free(turned);
  return result;
}

export function biasAdd(tape: Tape, x: Tensor, bias: Tensor): Tensor {
  return tape.record(tape.run('BiasAdd', [x, bias]), [x, bias], (gradient) => {
    if (tape.needsGradient(bias)) tape.accumulate(bias, tape.native.run('BiasAddGrad', [gradient]));
    tape.accumulate(x, tape.native.run('Identity', [gradient]));
  });
}

export interface BatchNormTensors {
  gain: Tensor;
  shift: Tensor;
  runningMean: Tensor;
  runningVariance: Tensor;
}

/** Batch normalisation with the running statistics (evaluation, and frozen layers). */
export function batchNormFixed(tape: Tape, x: Tensor, tensors: BatchNormTensors, epsilon: number): Tensor {
  const { native } = tape;
  const { gain, shift, runningMean, runningVariance } = tensors;
  const [result, ...statistics] = native.runMany(
    'FusedBatchNormV3',
    [x, gain, shift, runningMean, runningVariance],
    { epsilon: { float: epsilon }, is_training: false },
    6,
  );
  native.free(...statistics);
  tape.keep(result!);
  return tape.record(result!, [x, gain, shift], (gradient) => {
    const gradients = native.runMany(
      'FusedBatchNormGradV3',
      [gradient, x, gain, runningMean, runningVariance, runningMean],
      { epsilon: { float: epsilon }, is_training: false },
      5,
    );
    for (const [index, input] of [x, gain, shift].entries()) tape.accumulate(input, gradients[index]!);
    native.free(...gradients.slice(3));
  });
}

/**
 * Batch normalisation with the statistics of the batch. FusedBatchNormV3 also returns the new running statistics,
 * whose variance it corrects by n / (n - 1), as PyTorch does.
 *
 * @returns the normalised images, and new running statistics, which the caller owns
 */
export function batchNormTraining(
  tape: Tape,
  x: Tensor,
  tensors: BatchNormTensors,
  epsilon: number,
  momentum: number,
): { result: Tensor; runningMean: Tensor; runningVariance: Tensor } {
  const { native } = tape;
  const { gain, shift } = tensors;
  const outputs = native.runMany(
    'FusedBatchNormV3',
    [x, gain, shift, tensors.runningMean, tensors.runningVariance],
    { epsilon: { float: epsilon }, exponential_avg_factor: { float: momentum }, is_training: true },
    6,
  );
  const [result, runningMean, runningVariance, ...reserved] = outputs;
  tape.keep(result!, ...reserved);
  tape.record(result!, [x, gain, shift], (gradient) => {
    const gradients = native.runMany(
      'FusedBatchNormGradV3',
      [gradient, x, gain, ...reserved],
      { epsilon: { float: epsilon }, is_training: true },
      5,
    );
    for (const [index, input] of [x, gain, shift].entries()) tape.accumulate(input, gradients[index]!);
    native.free(...gradients.slice(3));
  });
  return { result: result!, runningMean: runningMean!, runningVariance: runningVariance! };
}

const SWISH = new GraphKernel<'x', 'result'>('Swish', (kernels, { x }) => {
  const gate = kernels.run('Sigmoid', [x]);
  const result = kernels.run('Mul', [x, gate]);
  kernels.free(gate);
  return { result };
});

const SWISH_GRADIENT = new GraphKernel<'x' | 'gradient', 'result'>('SwishGrad', (kernels, { x, gradient }) => {
  const gate = kernels.run('Sigmoid', [x]);
  const bend = kernels.run('SigmoidGrad', [gate, x]);
  const slope = kernels.run('AddV2', [gate, bend]);
  const result = kernels.run('Mul', [gradient, slope]);
  kernels.free(gate, bend, slope);
  return { result };
});

/** x * s with s = sigmoid(x); the slope is s + x * s * (1 - s). s is computed again rather than kept: a third of memory. */
export function swish(tape: Tape, x: Tensor): Tensor {
  const { result } = tape.runGraph(SWISH, { x });
  return tape.record(result, [x], (gradient) => {
    tape.accumulate(x, tape.native.runGraph(SWISH_GRADIENT, { x, gradient }).result);
  });
}

/** Mean over the given axes, which stay with size 1. */
export function meanAxes(tape: Tape, x: Tensor, axes: readonly number[]): Tensor {
  const { native } = tape;
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  const result = tape.run('Mean', [x, native.list(axes)], { keep_dims: true });
  return tape.record(result, [x], (gradient) => {
    tape.accumulateBroadcast(x, native.run('Mul', [gradient, native.scalarLike(1 / count, gradient)]));
  });
}
