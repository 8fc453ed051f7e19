import type { FlatVariable } from '../tensorflow/flat-variable.js';
import type { Native, Tensor } from '../tensorflow/native.js';
import { applyAdam, type Optimizer, StateVectors } from './optimizer.js';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** Adam with decoupled weight decay (arXiv 1711.05101), with torch.optim.AdamW's defaults. */
export function createAdamW(native: Native, weightDecay: number): Optimizer {
  const vectors = new StateVectors(native);
  return {
    centralizesGradients: false,
    update(parameters: FlatVariable, gradient: Tensor, learningRate: number, step: number): void {
      const t = step + 1;
      const count = gradient.shape[0]!;
      // A product, as in PyTorch: in float32 it differs from p - rate * p once the rate is near the rounding.
      const values = parameters.read();
      const shrink = native.floats([], Float32Array.of(1 - weightDecay * learningRate));
      const shrunk = native.run('Mul', [values, shrink]);
      parameters.assign(shrunk);
      native.free(values, shrink, shrunk);
      // mean / (sqrt(variance) / correction + epsilon), with the correction moved out of the quotient.
      const correction = Math.sqrt(1 - BETA2 ** t);
      applyAdam(native, parameters, vectors.get('exp_avg', count), vectors.get('exp_avg_sq', count), gradient, {
        beta1: BETA1,
        beta2: BETA2,
        epsilon: EPSILON * correction,
        stepSize: (learningRate * correction) / (1 - BETA1 ** t),
      });
      native.free(gradient);
    },
    state: () => vectors.read(),
    restore: (state) => vectors.restore(state),
    dispose: () => vectors.dispose(),
  };
}
