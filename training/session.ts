import { EMOTION_COUNT } from '../common/labels.js';
import { argmax } from '../common/metrics.js';
import { Random } from '../common/random.js';
import type { StateDict } from '../common/safetensors.js';
import { networkParameters } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { AveragedWeights } from './averaged-weights.js';
import { type ClassWeights, EQUAL_WEIGHTS } from './class-weights.js';
import type { TrainConfig } from './config.js';
import type { TrainingBatch } from './data/batches.js';
import { clipByNorm, FlatParameters } from './flat-parameters.js';
import { freeMemory } from './free-memory.js';
import { LossScale, type LossScaleState } from './loss-scale.js';
import { type MemoryPlan, type MicroBatch, planMicroBatch, splitBatch } from './micro-batch.js';
import { createOptimizer } from './optimizers/index.js';
import type { Optimizer, OptimizerState } from './optimizers/optimizer.js';
import { forward } from './tensorflow/forward.js';
import { Native, type Tensor } from './tensorflow/native.js';
import { Tape } from './tensorflow/tape.js';
import { TensorFlowOps, type Variables } from './tensorflow/tensorflow-ops.js';
import { NetworkVariables } from './tensorflow/variables.js';
import { trainingLoss } from './training-loss.js';

export interface StepResult {
  loss: number;
  /** Share of the batch whose largest integrated logit is at the largest target. */
  accuracy: number;
}

/** What a run needs beside the parameters to go on as if it had not stopped. */
export interface SessionState {
  step: number;
  optimizer: OptimizerState;
  average: Float32Array | null;
  /** Clips computed at a time; null before the first step. */
  microBatch: number | null;
  /** null before the first step. */
  lossScale: LossScaleState | null;
}

/** The state of a run that has done nothing yet. */
export const FRESH_SESSION: SessionState = {
  step: 0,
  optimizer: new Map(),
  average: null,
  microBatch: null,
  lossScale: null,
};

/** A network in training: its parameters, optimizer and averaged weights on TensorFlow. */
export class TrainingSession {
  readonly native: Native;
  readonly variables: NetworkVariables;
  readonly #spec: ModelSpec;
  readonly #config: TrainConfig;
  readonly #trained: FlatParameters;
  readonly #optimizer: Optimizer;
  readonly #average: AveragedWeights;
  readonly #classWeights: ClassWeights;
  readonly #dropout: boolean;
  readonly #computeType: number;
  readonly #scale: LossScale;
  #plan: MemoryPlan | null = null;
  #step = 0;

  private constructor(
    native: Native,
    spec: ModelSpec,
    config: TrainConfig,
    state: StateDict,
    classWeights: ClassWeights,
    dropout: boolean,
  ) {
    this.native = native;
    this.#spec = spec;
    this.#config = config;
    this.#classWeights = classWeights;
    this.#dropout = dropout;
    this.variables = new NetworkVariables(native, networkParameters(spec), state);
    const changing = this.variables.specs.filter(({ name }) => !isFrozen(name, config));
    this.#optimizer = createOptimizer(native, config.optim, config.weight_decay);
    this.#trained = new FlatParameters(
      native,
      this.variables,
      changing.filter(({ trainable }) => trainable),
      this.#optimizer,
    );
    const statistics = changing.filter(({ trainable }) => !trainable);
    this.#average = new AveragedWeights(native, this.variables, this.#trained, statistics);
    // Half numbers reach from 6e-8 to 65504, and small gradients would be lost; bfloat16 reaches as far as float32.
    const halfType = native.usesGpu ? native.half : native.bfloat16;
    this.#computeType = config.amp ? halfType : native.float32;
    this.#scale = new LossScale(native, this.#computeType === native.half);
  }

  /**
   * @param state holds all parameters of the network
   * @param options.dropout false leaves out dropout and drop connect
   */
  static async create(
    spec: ModelSpec,
    config: TrainConfig,
    state: StateDict,
    classWeights = EQUAL_WEIGHTS,
    { dropout = true }: { dropout?: boolean } = {},
  ): Promise<TrainingSession> {
    return new TrainingSession(await Native.load(), spec, config, state, classWeights, dropout);
  }

  get step(): number {
    return this.#step;
  }

  /** How many clips are computed at a time, and why; null before the first step. */
  get memoryPlan(): MemoryPlan | null {
    return this.#plan;
  }

  /**
   * Forward, backward and update on one batch, in parts where it does not fit. Batch statistics are then those of each
   * part. A loss that is not finite changes no parameter and is returned.
   */
  train(training: TrainingBatch, learningRate: number): StepResult {
    this.#plan ??= this.#makePlan(training);
    const random = Random.for(this.#config.seed, 'dropout', this.#step);
    const seed = () => random.integer(2 ** 31);
    const { clips } = training.batch;
    let loss = 0;
    let hits = 0;
    let gradient: Tensor | null = null;
    for (const part of splitBatch(training, this.#plan.microBatch)) {
      const tape = this.#tape();
      const { total, logits } = this.#forward(tape, part, seed);
      loss += this.native.read(total)[0]!;
      hits += hitsOf(this.native.read(logits), part.training.targets.inte);
      if (!Number.isFinite(loss)) {
        tape.clear();
        if (gradient) this.native.free(gradient);
        return { loss, accuracy: hits / clips };
      }
      tape.backward(total, this.#scale.value);
      const found = this.#trained.gatherGradients(tape);
      gradient = gradient === null ? found : sum(this.native, gradient, found);
    }
    this.#update(gradient!, learningRate);
    this.#step++;
    return { loss, accuracy: hits / clips };
  }

  #tape(): Tape {
    const tape = new Tape(this.native, this.#computeType);
    this.#trained.watch(tape);
    return tape;
  }

  #forward(
    tape: Tape,
    { training, weights }: MicroBatch,
    seed: () => number,
    variables: Variables = this.variables,
  ): { total: Tensor; logits: Tensor } {
    const frozen = (name: string) => isFrozen(name, this.#config);
    const ops = new TensorFlowOps(tape, variables, { training: true, dropout: this.#dropout, frozen, seed });
    const output = forward(tape, ops, this.#spec, training.batch);
    const total = trainingLoss(tape, ops, this.#spec, this.#config, output, training, weights, this.#classWeights);
    return { total, logits: output.logits };
  }

  #makePlan(training: TrainingBatch): MemoryPlan {
    const { micro_batch } = this.#config;
    const freeBytes = freeMemory(this.native.usesGpu);
    if (micro_batch !== 'auto') return { microBatch: micro_batch, wholeBytes: null, freeBytes };
    // Gradients one by one, centralised and joined, the optimizer's vectors and the average: each as long as the parameters.
    const fixedBytes = 7 * 4 * this.#trained.count;
    return planMicroBatch(training.batch.clips, (clips) => this.#heldBytes(training, clips), fixedBytes, freeBytes);
  }

  /** What a forward pass over the first clips keeps. Changes nothing. */
  #heldBytes(training: TrainingBatch, clips: number): number {
    const parts = splitBatch(training, clips);
    const tape = this.#tape();
    const constant: Variables = {
      get: (name) => this.variables.get(name),
      replace: (_name, value) => this.native.free(value),
    };
    this.#forward(tape, parts.find((part) => part.training.batch.clips === clips) ?? parts[0]!, () => 0, constant);
    const bytes = tape.heldBytes;
    tape.clear();
    return bytes;
  }

  #update(scaled: Tensor, learningRate: number): void {
    const { clip_norm, ema } = this.#config;
    let gradient = this.#scale.unscale(scaled);
    // Too large for half precision: the step is left out, and the next ones are scaled less.
    if (gradient === null) return;
    if (clip_norm > 0) gradient = clipByNorm(this.native, gradient, clip_norm);
    const whole = gradient;
    this.#trained.change((vector) => this.#optimizer.update(vector, whole, learningRate, this.#step));
    // The decay rises with the steps so that the start is forgotten.
    if (ema > 0) this.#average.update(Math.min(ema, (1 + this.#step) / (10 + this.#step)));
  }

  /** Runs `use` with the averaged weights in place, where weights are averaged. */
  withAverage<T>(use: () => Promise<T>): Promise<T> {
    return this.#average.use(use);
  }

  state(): SessionState {
    return {
      step: this.#step,
      optimizer: this.#optimizer.state(),
      average: this.#average.state(),
      microBatch: this.#plan?.microBatch ?? null,
      lossScale: this.#scale.state,
    };
  }

  restore({ step, optimizer, average, microBatch, lossScale }: SessionState): void {
    this.#step = step;
    if (lossScale !== null) this.#scale.state = lossScale;
    if (microBatch !== null) this.#plan = { microBatch, wholeBytes: null, freeBytes: freeMemory(this.native.usesGpu) };
    this.#optimizer.restore(optimizer);
    this.#average.restore(average);
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.variables.dispose();
    this.#trained.dispose();
    this.#average.dispose();
  }
}

/** Parameters that --freeze_backbone keeps: the EfficientNet, and in multimodal runs all but the fusion and the heads. */
function isFrozen(name: string, { freeze_backbone, mode }: TrainConfig): boolean {
  if (!freeze_backbone) return false;
  if (mode !== 'multimodal') return /^(backbone_)?model\./.test(name);
  return !/^(fusion\.|multimodal_out\.|(speech|face)_model\.out\.out\.|text_model\.out\.)/.test(name);
}

function sum(native: Native, a: Tensor, b: Tensor): Tensor {
  const total = native.run('AddV2', [a, b]);
  native.free(a, b);
  return total;
}

/** Clips whose largest logit is at the largest target. */
function hitsOf(logits: Float32Array, targets: Float32Array): number {
  let hits = 0;
  for (let row = 0; row < logits.length; row += EMOTION_COUNT) {
    const predicted = argmax(logits.subarray(row, row + EMOTION_COUNT));
    hits += Number(predicted === argmax(targets.subarray(row, row + EMOTION_COUNT)));
  }
  return hits;
}
