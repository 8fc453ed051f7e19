import { type KeepMask, withMask } from './drop-mask.js';
import { graphKernels } from './graph-kernel.js';
import type { Tensor } from './native.js';
import { dotEach, type RowInputs, rowInputs, sumOfRows } from './rows.js';
import type { Tape } from './tape.js';

type Inputs = 'x' | 'branch' | 'kept' | 'gain' | 'shift' | 'epsilon' | 'features';

const FORWARD = graphKernels<{ drops: boolean }, Inputs, 'result' | 'normal' | 'inverse'>(
  'AddAndNorm',
  ({ drops }) =>
    (kernels, { x, branch, kept, gain, shift, epsilon, features }) => {
      const part = drops ? kernels.run('Mul', [branch, kept]) : kernels.run('Identity', [branch]);
      const sum = kernels.run('AddV2', [x, part]);
      const last = kernels.list([-1]);
      const mean = kernels.run('Mean', [sum, last], { keep_dims: true });
      const centred = kernels.run('Sub', [sum, mean]);
      // One pass over the values where squares and their mean are two.
      const length = kernels.run('EuclideanNorm', [centred, last], { keep_dims: true });
      const squares = kernels.run('Square', [length]);
      const variance = kernels.run('RealDiv', [squares, features]);
      const shifted = kernels.run('AddV2', [variance, epsilon]);
      const inverse = kernels.run('Rsqrt', [shifted]);
      const normal = kernels.run('Mul', [centred, inverse]);
      const scaled = kernels.run('Mul', [normal, gain]);
      const result = kernels.run('AddV2', [scaled, shift]);
      kernels.free(part, sum, mean, centred, length, squares, variance, shifted, scaled);
      return { result, normal, inverse };
    },
);

type GradientInputs = 'gradient' | 'normal' | 'inverse' | 'kept' | 'gain' | 'features' | RowInputs;

const BACKWARD = graphKernels<{ drops: boolean }, GradientInputs, 'x' | 'branch' | 'gain' | 'shift'>(
  'AddAndNormGrad',
  ({ drops }) =>
    (kernels, { gradient, normal, inverse, kept, gain, features, rows, shape, ones }) => {
      const given = kernels.run('Reshape', [gradient, rows]);
      const direction = kernels.run('Reshape', [normal, rows]);
      const along = kernels.run('Mul', [given, direction]);
      const share = kernels.run('RealDiv', [gain, features]);
      const mean = dotEach(kernels, given, share);
      const meanAlong = dotEach(kernels, along, share);
      const scaled = kernels.run('Mul', [given, gain]);
      const centred = kernels.run('Sub', [scaled, mean]);
      const parallel = kernels.run('Mul', [direction, meanAlong]);
      const across = kernels.run('Sub', [centred, parallel]);
      const shaped = kernels.run('Reshape', [across, shape]);
      const x = kernels.run('Mul', [shaped, inverse]);
      const branch = drops ? kernels.run('Mul', [x, kept]) : kernels.run('Identity', [x]);
      const gradients = { x, branch, gain: sumOfRows(kernels, along, ones), shift: sumOfRows(kernels, given, ones) };
      kernels.free(given, direction, along, share, mean, meanAlong, scaled, centred, parallel, across, shaped);
      return gradients;
    },
);

/**
 * Layer normalisation (arXiv 1607.06450) of the sum of `x` and what dropout keeps of `branch`: the last axis is brought
 * to mean 0 and variance 1, then scaled and shifted.
 *
 * @param tensors (features) each
 * @param kept of the branch, in its shape; null for no dropout. Drawn once more for the gradient: that takes less time
 * than to keep it.
 */
export function addAndNorm(
  tape: Tape,
  x: Tensor,
  branch: Tensor,
  tensors: { gain: Tensor; shift: Tensor },
  epsilon: number,
  kept: KeepMask | null,
): Tensor {
  const { native } = tape;
  const { gain } = tensors;
  const features = native.scalar(gain.shape[0]!);
  const drops = kept !== null;
  const { result, normal, inverse } = withMask(native, kept, (mask) =>
    tape.runGraph(FORWARD({ drops }), {
      ...{ x, branch, ...tensors, features },
      ...{ kept: mask, epsilon: native.scalar(epsilon) },
    }),
  );
  return tape.record(result, [x, branch, ...Object.values(tensors)], (gradient) => {
    const gradients = withMask(native, kept, (mask) =>
      native.runGraph(BACKWARD({ drops }), {
        gradient,
        normal,
        inverse,
        kept: mask,
        gain,
        features,
        ...rowInputs(native, x),
      }),
    );
    tape.accumulate(x, gradients.x);
    tape.accumulate(branch, gradients.branch);
    tape.accumulate(gain, gradients.gain);
    tape.accumulate(tensors.shift, gradients.shift);
  });
}
