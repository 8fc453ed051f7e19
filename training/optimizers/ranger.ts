import type { Native, Tensor } from '../tensorflow/native.js';
import { addScaled, type Optimizer, type OptimizerState, StateVectors } from './optimizer.js';

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
    update(parameters: Tensor, gradient: Tensor, learningRate: number, step: number): Tensor {
      const t = step + 1;
      if (!vectors.get('slow')) vectors.set('slow', native.run('Identity', [parameters]));
      const square = native.run('Square', [gradient]);
      const variance = vectors.average('exp_avg_sq', square, BETA2);
      const mean = vectors.average('exp_avg', gradient, BETA1);
      native.free(square, gradient);

      const { stepSize, rectified } = rectification(t);
      let direction = mean;
      if (rectified) {
        const root = native.run('Sqrt', [variance]);
        const denominator = native.run('AddV2', [root, native.scalar(EPSILON)]);
        direction = native.run('RealDiv', [mean, denominator]);
        native.free(root, denominator);
      }
      const decayed = addScaled(native, parameters, parameters, -weightDecay * learningRate);
      const fast = addScaled(native, decayed, direction, -stepSize * learningRate);
      native.free(decayed);
      if (rectified) native.free(direction);
      if (t % LOOKAHEAD_STEPS !== 0) return fast;

      const slow = vectors.get('slow')!;
      const way = native.run('Sub', [fast, slow]);
      const moved = addScaled(native, slow, way, LOOKAHEAD_ALPHA);
      native.free(way, fast);
      vectors.set('slow', moved);
      return native.run('Identity', [moved]);
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
