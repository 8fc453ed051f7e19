import type { Native, Tensor } from '../tensorflow/native.js';
import { addScaled, type Optimizer, StateVectors } from './optimizer.js';

const MOMENTUM = 0.9;

/** Stochastic gradient descent with Nesterov momentum and L2 weight decay, as torch.optim.SGD. */
export function createSgd(native: Native, weightDecay: number): Optimizer {
  const vectors = new StateVectors(native);
  return {
    centralizesGradients: false,
    update(parameters: Tensor, gradient: Tensor, learningRate: number): Tensor {
      const decayed = addScaled(native, gradient, parameters, weightDecay);
      native.free(gradient);
      const old = vectors.get('momentum_buffer');
      const velocity = vectors.set(
        'momentum_buffer',
        old ? addScaled(native, decayed, old, MOMENTUM) : native.run('Identity', [decayed]),
      );
      const direction = addScaled(native, decayed, velocity, MOMENTUM);
      const updated = addScaled(native, parameters, direction, -learningRate);
      native.free(decayed, direction);
      return updated;
    },
    state: () => vectors.read(),
    restore: (state) => vectors.restore(state),
    dispose: () => vectors.dispose(),
  };
}
