import type { TrainConfig } from './config.js';

/**
 * The learning rate of step `step` (from 0). Unimodal: cosine to zero over the run. Multimodal: a tenth after half of
 * the epochs. The first `warmup` epochs rise linearly from the first step on, and shift what follows.
 * In compat seed the curve is that of {@link faithfulLearningRate}.
 */
export function learningRate(config: TrainConfig, step: number, stepsPerEpoch: number): number {
  const warmupSteps = Math.round(config.warmup * stepsPerEpoch);
  if (config.compat === 'seed') return faithfulLearningRate(config, step, stepsPerEpoch, warmupSteps);
  const peak = config.learning_rate;
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const past = step - warmupSteps;
  if (config.mode === 'multimodal') return steppedRate(config, past, stepsPerEpoch);
  return cosineRate(peak, past, Math.max(1, config.n_epoch * stepsPerEpoch - warmupSteps));
}

/**
 * As the reference does it: every step has the rate that was meant for the one before, so that a warm-up begins with
 * two steps at 0. The cosine takes the whole run for its period, warm-up not counted; after a warm-up it stays at its
 * peak for one step more and then goes on as if it had not.
 */
function faithfulLearningRate(config: TrainConfig, step: number, stepsPerEpoch: number, warmupSteps: number): number {
  const peak = config.learning_rate;
  if (config.mode === 'multimodal' && warmupSteps === 0) return steppedRate(config, step, stepsPerEpoch);
  const late = Math.max(0, step - 1);
  if (late < warmupSteps) return (peak * late) / warmupSteps;
  const past = late - warmupSteps;
  if (config.mode === 'multimodal') return steppedRate(config, past, stepsPerEpoch);
  if (warmupSteps > 0 && past === 1) return peak;
  return cosineRate(peak, past, config.n_epoch * stepsPerEpoch);
}

/** torch's CosineAnnealingLR to zero. */
function cosineRate(peak: number, step: number, period: number): number {
  return (peak * (1 + Math.cos((Math.PI * step) / period))) / 2;
}

/** torch's StepLR by epochs: a tenth after each half of the run. */
function steppedRate({ learning_rate, n_epoch }: TrainConfig, step: number, stepsPerEpoch: number): number {
  const period = Math.max(1, Math.floor(n_epoch / 2));
  return learning_rate * 0.1 ** Math.floor(Math.floor(step / stepsPerEpoch) / period);
}
