import { type KeepMask, withMask } from './drop-mask.js';
import { graphKernels } from './graph-kernel.js';
import { DT_INT32, product } from './kernels.js';
import type { Tensor } from './native.js';
import { type RowInputs, rowInputs, sumOfRows } from './rows.js';
import type { Tape } from './tape.js';

/** Weight (out, in) and bias (out) of a linear layer. */
export interface LinearTensors {
  weight: Tensor;
  bias: Tensor;
}

/** `kept` is the mask of dropout. */
type Inputs = 'x' | 'innerWeight' | 'innerBias' | 'outerWeight' | 'outerBias' | 'kept' | RowInputs;

const FORWARD = graphKernels<{ computeType: number; drops: boolean }, Inputs, 'result' | 'input' | 'wide'>(
  'FeedForward',
  ({ computeType, drops }) =>
    (kernels, { x, innerWeight, innerBias, outerWeight, outerBias, kept, rows, shape, ones }) => {
      const column = kernels.list([-1, 1]);
      const flat = kernels.run('Reshape', [x, rows]);
      const unit = kernels.run('Reshape', [ones, column]);
      const bias = kernels.run('Reshape', [innerBias, column]);
      const input = kernels.join([flat, unit], 1);
      const weight = kernels.join([innerWeight, bias], 1);
      const before = product(kernels, computeType, 'MatMul', [input, weight], { transpose_b: true });
      let wide = kernels.run('Relu', [before]);
      if (drops) {
        const all = wide;
        wide = kernels.run('Mul', [all, kept]);
        kernels.free(all);
      }
      // To turn the weight first takes less time than the product with the unturned one takes longer.
      const turned = kernels.run('Transpose', [outerWeight, kernels.list([1, 0])]);
      const narrow = product(kernels, computeType, 'MatMul', [wide, turned]);
      const biased = kernels.run('BiasAdd', [narrow, outerBias]);
      const result = kernels.run('Reshape', [biased, shape]);
      kernels.free(flat, unit, bias, weight, before, turned, narrow, biased);
      return { result, input, wide };
    },
);

type GradientInputs = 'gradient' | 'input' | 'wide' | 'innerWeight' | 'outerWeight' | 'scale' | RowInputs;

const BACKWARD = graphKernels<
  { computeType: number; drops: boolean },
  GradientInputs,
  'x' | 'innerWeight' | 'innerBias' | 'outerWeight' | 'outerBias'
>('FeedForwardGrad', ({ computeType, drops }) => (kernels, inputs) => {
  const { input, wide, innerWeight, outerWeight, ones } = inputs;
  const gradient = kernels.run('Reshape', [inputs.gradient, inputs.rows]);
  const ofOuterBias = sumOfRows(kernels, gradient, ones);
  const ofOuterWeight = product(kernels, computeType, 'MatMul', [gradient, wide], { transpose_a: true });
  // Scaled where it is narrow.
  const scaled = drops ? kernels.run('Mul', [gradient, inputs.scale]) : kernels.run('Identity', [gradient]);
  const ofWide = product(kernels, computeType, 'MatMul', [scaled, outerWeight]);
  const slope = kernels.run('ReluGrad', [ofWide, wide]);
  const ofRows = product(kernels, computeType, 'MatMul', [slope, innerWeight]);
  const x = kernels.run('Reshape', [ofRows, inputs.shape]);
  const joint = product(kernels, computeType, 'MatMul', [slope, input], { transpose_a: true });
  const sizes = [kernels.list([-1, 1]), kernels.intScalar(1)];
  const [ofWeight, column] = kernels.runMany(
    'SplitV',
    [joint, ...sizes],
    { num_split: 2, Tlen: { type: DT_INT32 } },
    2,
  );
  const ofBias = kernels.run('Reshape', [column!, kernels.list([-1])]);
  kernels.free(gradient, scaled, ofWide, slope, ofRows, joint, column!);
  return {
    x,
    innerWeight: ofWeight!,
    innerBias: ofBias,
    outerWeight: ofOuterWeight,
    outerBias: ofOuterBias,
  };
});

/**
 * Two linear layers with ReLU and dropout between them, over the last axis. Its backward needs no more of the wide
 * values between them than those that remain: what ReLU or dropout has zeroed is zero there. The first bias is one more
 * column of the weight, for an input of ones: each pass over the wide values takes as long as a fifth of their product.
 *
 * @param x (..., features)
 * @param kept of the values between, as (rows, width); null for no dropout
 */
export function feedForward(
  tape: Tape,
  x: Tensor,
  inner: LinearTensors,
  outer: LinearTensors,
  kept: KeepMask | null,
): Tensor {
  const { native, computeType } = tape;
  const shapes = rowInputs(native, x);
  const [innerWeight, outerWeight] = [inner.weight, outer.weight];
  const weights = { innerWeight, innerBias: inner.bias, outerWeight, outerBias: outer.bias };
  const options = { computeType, drops: kept !== null };
  const { result, input, wide } = withMask(native, kept, (mask) =>
    tape.runGraph(FORWARD(options), { x, ...weights, kept: mask, ...shapes }),
  );
  return tape.record(result, [x, ...Object.values(weights)], (gradient) => {
    const scale = native.scalar(kept?.scale ?? 1);
    const inputs = { gradient, input, wide, innerWeight, outerWeight, scale, ...shapes };
    const gradients = native.runGraph(BACKWARD(options), inputs);
    tape.accumulate(x, gradients.x);
    tape.accumulate(innerWeight, gradients.innerWeight);
    tape.accumulate(inner.bias, gradients.innerBias);
    tape.accumulate(outerWeight, gradients.outerWeight);
    tape.accumulate(outer.bias, gradients.outerBias);
  });
}
