import { type KeepMask, withMask } from './drop-mask.js';
import { graphKernels, type Named } from './graph-kernel.js';
import { DT_FLOAT, product } from './kernels.js';
import type { Tensor } from './native.js';
import { type RowInputs, rowInputs, sumOfRows } from './rows.js';
import type { Tape } from './tape.js';

/** Parameters of torch.nn.MultiheadAttention: (3 features, features), (3 features), (features, features), (features). */
export type AttentionTensors = Named<'inWeight' | 'inBias' | 'outWeight' | 'outBias', Tensor>;

/** (batch, time, 3, heads, size) to (3, batch, heads, time, size), and back. */
const APART = [2, 0, 3, 1, 4];
const TOGETHER = [1, 3, 0, 2, 4];
/** (batch, time, heads, size) to (batch, heads, time, size), and back. */
const EXCHANGE = [0, 2, 1, 3];

/** `parts` is the shape (batch, time, 3, heads, size), `scale` 1 / sqrt(size). */
type Inputs = keyof AttentionTensors | 'x' | 'parts' | 'scale' | 'penalty' | 'kept' | RowInputs;
type Outputs = 'result' | 'query' | 'key' | 'value' | 'probabilities' | 'dropped' | 'joined';

const FORWARD = graphKernels<{ computeType: number; padded: boolean; drops: boolean }, Inputs, Outputs>(
  'Attention',
  ({ computeType, padded, drops }) =>
    (kernels, inputs) => {
      const flat = kernels.run('Reshape', [inputs.x, inputs.rows]);
      const linear = product(kernels, computeType, 'MatMul', [flat, inputs.inWeight], { transpose_b: true });
      const projected = kernels.run('BiasAdd', [linear, inputs.inBias]);
      const parted = kernels.run('Reshape', [projected, inputs.parts]);
      const split = kernels.run('Transpose', [parted, kernels.list(APART)]);
      const [unscaled, key, value] = kernels.runMany('Unpack', [split], { num: 3 }, 3);
      const query = kernels.run('Mul', [unscaled!, inputs.scale]);
      const scores = product(kernels, computeType, 'BatchMatMulV2', [query, key!], { adj_y: true });
      const masked = padded ? kernels.run('AddV2', [scores, inputs.penalty]) : kernels.run('Identity', [scores]);
      const probabilities = kernels.run('Softmax', [masked]);
      const dropped = drops
        ? kernels.run('Mul', [probabilities, inputs.kept])
        : kernels.run('Identity', [probabilities]);
      const mixed = product(kernels, computeType, 'BatchMatMulV2', [dropped, value!]);
      const turned = kernels.run('Transpose', [mixed, kernels.list(EXCHANGE)]);
      const joined = kernels.run('Reshape', [turned, inputs.rows]);
      const outer = product(kernels, computeType, 'MatMul', [joined, inputs.outWeight], { transpose_b: true });
      const biased = kernels.run('BiasAdd', [outer, inputs.outBias]);
      const result = kernels.run('Reshape', [biased, inputs.shape]);
      kernels.free(flat, linear, projected, parted, split, unscaled!, scores, masked, mixed, turned, outer, biased);
      return { result, query, key: key!, value: value!, probabilities, dropped, joined };
    },
);

/** Shapes: `heads` (batch, time, heads, size), `wide` (batch * time, 3 features). */
type GradientInputs =
  | ('gradient' | 'x' | Exclude<Outputs, 'result'> | 'outWeight')
  | ('heads' | 'wide' | 'scale' | RowInputs);

/** `projected` is the gradient of query, key and value before they were parted. */
const BACKWARD = graphKernels<{ computeType: number }, GradientInputs, keyof AttentionTensors | 'projected'>(
  'AttentionGrad',
  ({ computeType }) =>
    (kernels, inputs) => {
      const { query, key, value, probabilities, dropped, joined, ones } = inputs;
      const given = kernels.run('Reshape', [inputs.gradient, inputs.rows]);
      const outBias = sumOfRows(kernels, given, ones);
      const outWeight = product(kernels, computeType, 'MatMul', [given, joined], { transpose_a: true });
      const ofJoined = product(kernels, computeType, 'MatMul', [given, inputs.outWeight]);
      const ofTurned = kernels.run('Reshape', [ofJoined, inputs.heads]);
      const ofMixed = kernels.run('Transpose', [ofTurned, kernels.list(EXCHANGE)]);
      const ofValue = product(kernels, computeType, 'BatchMatMulV2', [dropped, ofMixed], { adj_x: true });
      const ofDropped = product(kernels, computeType, 'BatchMatMulV2', [ofMixed, value], { adj_y: true });
      // Of dropout and softmax at once.
      const weighed = kernels.run('Mul', [ofDropped, dropped]);
      const total = kernels.run('Sum', [weighed, kernels.list([-1])], { keep_dims: true });
      const share = kernels.run('Mul', [probabilities, total]);
      const ofScores = kernels.run('Sub', [weighed, share]);
      const ofScaled = product(kernels, computeType, 'BatchMatMulV2', [ofScores, key]);
      const ofQuery = kernels.run('Mul', [ofScaled, inputs.scale]);
      const ofKey = product(kernels, computeType, 'BatchMatMulV2', [ofScores, query], { adj_x: true });
      const ofSplit = kernels.run('Pack', [ofQuery, ofKey, ofValue], { N: 3, T: { type: DT_FLOAT } });
      const ofParted = kernels.run('Transpose', [ofSplit, kernels.list(TOGETHER)]);
      const projected = kernels.run('Reshape', [ofParted, inputs.wide]);
      const inBias = sumOfRows(kernels, projected, ones);
      const flat = kernels.run('Reshape', [inputs.x, inputs.rows]);
      const inWeight = product(kernels, computeType, 'MatMul', [projected, flat], { transpose_a: true });
      kernels.free(given, ofJoined, ofTurned, ofMixed, ofValue, ofDropped, weighed, total, share, ofScores);
      kernels.free(ofScaled, ofQuery, ofKey, ofSplit, ofParted, flat);
      return { inWeight, inBias, outWeight, outBias, projected };
    },
);

/**
 * Multi-head self-attention (arXiv 1706.03762) as torch.nn.MultiheadAttention.
 *
 * @param x (batch, time, features)
 * @param penalty added to the scores, (batch, 1, 1, time) or null
 * @param kept of the shares of attention, (batch, heads, time, time); null for no dropout
 */
export function attention(
  tape: Tape,
  x: Tensor,
  tensors: AttentionTensors,
  heads: number,
  penalty: Tensor | null,
  kept: KeepMask | null,
): Tensor {
  const { native, computeType } = tape;
  const [batch, time, features] = x.shape as [number, number, number];
  const size = features / heads;
  const shapes = rowInputs(native, x);
  const scale = native.scalar(1 / Math.sqrt(size));
  const forward = FORWARD({ computeType, padded: penalty !== null, drops: kept !== null });
  const inputs = {
    ...{ x, ...tensors, scale, ...shapes },
    parts: native.list([batch, time, 3, heads, size]),
    penalty: penalty ?? native.scalar(0),
  };
  const { result, query, key, value, probabilities, dropped, joined } = withMask(native, kept, (mask) =>
    tape.runGraph(forward, { ...inputs, kept: mask }),
  );
  return tape.record(result, [x, ...Object.values(tensors)], (gradient) => {
    const { inWeight, outWeight } = tensors;
    const { projected, ...gradients } = native.runGraph(BACKWARD({ computeType }), {
      ...{ gradient, x, query, key, value, probabilities, dropped, joined, outWeight, scale, ...shapes },
      heads: native.list([batch, time, heads, size]),
      wide: native.list([batch * time, 3 * features]),
    });
    tape.accumulate(inWeight, gradients.inWeight);
    tape.accumulate(tensors.inBias, gradients.inBias);
    tape.accumulate(outWeight, gradients.outWeight);
    tape.accumulate(tensors.outBias, gradients.outBias);
    if (tape.needsGradient(x)) {
      const flat = product(native, computeType, 'MatMul', [projected, inWeight]);
      tape.accumulate(x, native.run('Reshape', [flat, shapes.shape]));
      native.free(flat);
    }
    native.free(projected);
  });
}
