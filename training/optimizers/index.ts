import type { TrainConfig } from '../config.js';
import type { Native } from '../tensorflow/native.js';
import { createAdamW } from './adamw.js';
import type { Optimizer } from './optimizer.js';
import { createRanger } from './ranger.js';
import { createSgd } from './sgd.js';

export function createOptimizer(native: Native, name: TrainConfig['optim'], weightDecay: number): Optimizer {
  switch (name) {
    case 'ranger':
      return createRanger(native, weightDecay);
    case 'adamw':
      return createAdamW(native, weightDecay);
    case 'sgd':
      return createSgd(native, weightDecay);
  }
}
