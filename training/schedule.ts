import type { TrainConfig } from './config.js';

/**
 * The learning rate of step `step` (from 0). Unimodal: cosine to zero over the run. Multimodal: a tenth after half of
 * the epochs. The first `warmup` epochs rise linearly from the first step on, and shift what follows.
 */
export function learningRate(config: TrainConfig, step: number, stepsPerEpoch: number): number {
  const peak = config.learning_rate;
  const warmupSteps = Math.round(config.warmup * stepsPerEpoch);
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const past = step - warmupSteps;
  if (config.mode === 'multimodal') {
    const period = Math.max(1, Math.floor(config.n_epoch / 2));
    return peak * 0.1 ** Math.floor(Math.floor(past / stepsPerEpoch) / period);
  }
  const total = Math.max(1, config.n_epoch * stepsPerEpoch - warmupSteps);
  return (peak * (1 + Math.cos((Math.PI * past) / total))) / 2;
}
