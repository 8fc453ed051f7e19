import type { Native, Tensor } from '../tensorflow/native.js';
import { addScaled, type Optimizer, StateVectors } from './optimizer.js';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** Adam with decoupled weight decay (arXiv 1711.05101), with torch.optim.AdamW's defaults. */
export function createAdamW(native: Native, weightDecay: number): Optimizer {
  const vectors = new StateVectors(native);
  return {
    centralizesGradients: false,
    update(parameters: Tensor, gradient: Tensor, learningRate: number, step: number): Tensor {
      const t = step + 1;
      const square = native.run('Square', [gradient]);
      const variance = vectors.average('exp_avg_sq', square, BETA2);
      const mean = vectors.average('exp_avg', gradient, BETA1);
      native.free(square, gradient);
      const correction = native.floats([], Float32Array.of(Math.sqrt(1 - BETA2 ** t)));
      const root = native.run('Sqrt', [variance]);
      const corrected = native.run('RealDiv', [root, correction]);
      const denominator = native.run('AddV2', [corrected, native.scalar(EPSILON)]);
      const direction = native.run('RealDiv', [mean, denominator]);
      // A product, as in PyTorch: in float32 it differs from p - rate * p once the rate is near the rounding.
      const shrink = native.floats([], Float32Array.of(1 - weightDecay * learningRate));
      const decayed = native.run('Mul', [parameters, shrink]);
      const updated = addScaled(native, decayed, direction, -learningRate / (1 - BETA1 ** t));
      native.free(correction, root, corrected, denominator, direction, shrink, decayed);
      return updated;
    },
    state: () => vectors.read(),
    restore: (state) => vectors.restore(state),
    dispose: () => vectors.dispose(),
  };
}
