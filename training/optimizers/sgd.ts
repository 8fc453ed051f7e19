import type { FlatVariable } from '../tensorflow/flat-variable.js';
import type { Native, Tensor } from '../tensorflow/native.js';
import { type Optimizer, StateVectors } from './optimizer.js';

const MOMENTUM = 0.9;

/** Stochastic gradient descent with Nesterov momentum and L2 weight decay, as torch.optim.SGD. */
export function createSgd(native: Native, weightDecay: number): Optimizer {
  const vectors = new StateVectors(native);
  return {
    centralizesGradients: false,
    update(parameters: FlatVariable, gradient: Tensor, learningRate: number): void {
      const values = parameters.read();
      const pull = native.run('Mul', [values, native.scalar(weightDecay)]);
      const decayed = native.run('AddV2', [gradient, pull]);
      native.free(values, pull, gradient);
      const velocity = vectors.get('momentum_buffer', decayed.shape[0]!);
      const rate = native.floats([], Float32Array.of(learningRate));
      native.runMany(
        'ResourceApplyMomentum',
        [parameters.handle, velocity.handle, rate, decayed, native.scalar(MOMENTUM)],
        { use_nesterov: true },
        0,
      );
      native.free(rate, decayed);
    },
    state: () => vectors.read(),
    restore: (state) => vectors.restore(state),
    dispose: () => vectors.dispose(),
  };
}
