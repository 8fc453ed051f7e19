import type { FlatVariable } from '../tensorflow/flat-variable.js';
import type { Native, Tensor } from '../tensorflow/native.js';
import { applyAdam, type Optimizer, type OptimizerState, StateVectors } from './optimizer.js';

const BETA1 = 0.95;
const BETA2 = 0.999;
const EPSILON = 1e-5;
/** The variance is rectified once the simple moving average is longer than this. */
const LENGTH_THRESHOLD = 5;
const LOOKAHEAD_STEPS = 6;
const LOOKAHEAD_ALPHA = 0.5;

/**
 * Ranger: rectified Adam (arXiv 1908.03265) with lookahead (arXiv 1907.08610), gradient centralisation
 * (arXiv 2004.01461) and decoupled weight decay, as in lessw2020/Ranger-Deep-Learning-Optimizer.
 */
export function createRanger(native: Native, weightDecay: number): Optimizer {
  const vectors = new StateVectors(native);
  return {
    centralizesGradients: true,
    update(parameters: FlatVariable, gradient: Tensor, learningRate: number, step: number): void {
      const t = step + 1;
      const count = gradient.shape[0]!;
      if (!vectors.has('slow')) {
        const start = parameters.read();
        vectors.get('slow', count).assign(start);
        native.free(start);
      }
      parameters.decay(weightDecay * learningRate);
      const mean = vectors.get('exp_avg', count);
      const { stepSize, rectified } = rectification(t);
      applyAdam(native, parameters, mean, vectors.get('exp_avg_sq', count), gradient, {
        beta1: BETA1,
        beta2: BETA2,
        epsilon: EPSILON,
        stepSize: rectified ? stepSize * learningRate : 0,
      });
      native.free(gradient);
      if (!rectified) {
        const direction = mean.read();
        parameters.addScaled(direction, -stepSize * learningRate);
        native.free(direction);
      }
      if (t % LOOKAHEAD_STEPS !== 0) return;

      const slow = vectors.get('slow', count);
      const [fast, from] = [parameters.read(), slow.read()];
      const way = native.run('Sub', [fast, from]);
      native.free(fast, from);
      slow.addScaled(way, LOOKAHEAD_ALPHA);
      const moved = slow.read();
      parameters.assign(moved);
      native.free(way, moved);
    },
    state: (): OptimizerState => vectors.read(),
    restore: (state) => vectors.restore(state),
    dispose: () => vectors.dispose(),
  };
}

/** Step size relative to the learning rate at step `t` (from 1), and whether the variance is used. */
function rectification(t: number): { stepSize: number; rectified: boolean } {
  const decay = BETA2 ** t;
  const longest = 2 / (1 - BETA2) - 1;
  const length = longest - (2 * t * decay) / (1 - decay);
  const bias = 1 - BETA1 ** t;
  if (length <= LENGTH_THRESHOLD) return { stepSize: 1 / bias, rectified: false };
  const ratio = (((length - 4) / (longest - 4)) * ((length - 2) / length) * longest) / (longest - 2);
  return { stepSize: Math.sqrt((1 - decay) * ratio) / bias, rectified: true };
}
