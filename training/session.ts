import { EMOTION_COUNT, MODALITIES } from '../common/labels.js';
import { argmax } from '../common/metrics.js';
import { Random } from '../common/random.js';
import type { StateDict } from '../common/safetensors.js';
import { branchHead } from '../models/multimodal.js';
import { networkParameters } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { AveragedWeights } from './averaged-weights.js';
import { type ClassWeights, EQUAL_WEIGHTS, weighClasses } from './class-weights.js';
import type { TrainConfig } from './config.js';
import type { TrainingBatch } from './data/batches.js';
import { clipByNorm, FlatParameters } from './flat-parameters.js';
import { createOptimizer } from './optimizers/index.js';
import type { Optimizer, OptimizerState } from './optimizers/optimizer.js';
import { forward, type NetworkOutput } from './tensorflow/forward.js';
import { softCrossEntropy } from './tensorflow/loss.js';
import { Native, type Tensor } from './tensorflow/native.js';
import { add, scale } from './tensorflow/primitives.js';
import { Tape } from './tensorflow/tape.js';
import { type TensorFlowKinds, TensorFlowOps } from './tensorflow/tensorflow-ops.js';
import { NetworkVariables } from './tensorflow/variables.js';

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
}

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
  #step = 0;

  private constructor(
    native: Native,
    spec: ModelSpec,
    config: TrainConfig,
    state: StateDict,
    classWeights: ClassWeights,
  ) {
    this.native = native;
    this.#spec = spec;
    this.#config = config;
    this.#classWeights = classWeights;
    this.variables = new NetworkVariables(native, networkParameters(spec), state);
    const changing = this.variables.specs.filter(({ name }) => !isFrozen(name, config));
    this.#trained = new FlatParameters(
      native,
      this.variables,
      changing.filter(({ trainable }) => trainable),
    );
    const statistics = changing.filter(({ trainable }) => !trainable);
    this.#average = new AveragedWeights(native, this.variables, this.#trained, statistics);
    this.#optimizer = createOptimizer(native, config.optim, config.weight_decay);
  }

  /** @param state holds all parameters of the network */
  static async create(
    spec: ModelSpec,
    config: TrainConfig,
    state: StateDict,
    classWeights = EQUAL_WEIGHTS,
  ): Promise<TrainingSession> {
    return new TrainingSession(await Native.load(), spec, config, state, classWeights);
  }

  get step(): number {
    return this.#step;
  }

  /** Forward, backward and update on one batch. A loss that is not finite changes nothing and is returned. */
  train(training: TrainingBatch, learningRate: number): StepResult {
    const { native } = this;
    const tape = new Tape(native);
    this.#trained.watch(tape);
    const random = Random.for(this.#config.seed, 'dropout', this.#step);
    const ops = new TensorFlowOps(tape, this.variables, {
      training: true,
      frozen: (name) => isFrozen(name, this.#config),
      seed: () => random.integer(2 ** 31),
    });
    const output = forward(tape, ops, this.#spec, training.batch);
    const total = this.#loss(tape, ops, output, training);
    const loss = native.read(total)[0]!;
    const accuracy = batchAccuracy(native.read(output.logits), training.targets.inte);
    if (!Number.isFinite(loss)) {
      tape.clear();
      return { loss, accuracy };
    }
    tape.backward(total);
    this.#update(tape, learningRate);
    this.#step++;
    return { loss, accuracy };
  }

  #loss(tape: Tape, ops: TensorFlowOps, output: NetworkOutput, { targets, observed }: TrainingBatch): Tensor {
    const { lam, modality_heads } = this.#config;
    const clips = observed.length / MODALITIES.length;
    const loss = (logits: Tensor, label: keyof ClassWeights, weights: Float32Array) => {
      const weighed = weighClasses(targets[label], weights, this.#classWeights[label]);
      const [target, weight] = tape.keep(
        this.native.floats([clips, EMOTION_COUNT], weighed.rows),
        this.native.floats([clips], weighed.clips),
      );
      return softCrossEntropy(tape, logits, target!, weight!);
    };
    let total = loss(output.logits, 'inte', new Float32Array(clips).fill(1 / clips));
    if (this.#spec.mode !== 'multimodal') return total;
    for (const [index, modality] of MODALITIES.entries()) {
      const branch = output.branches[modality]!;
      const label = modality === 'text' ? 'inte' : modality;
      const weights = presenceWeights(observed, index);
      if (modality_heads) {
        // Each head learns on its own feature without moving it, so that the modality's scores stay true whatever lam is.
        const head = branchHead<TensorFlowKinds>(ops, this.#spec, modality, ops.detach(branch.feature));
        total = add(tape, total, loss(head, label, weights));
      }
      if (lam > 0 && modality !== 'text') {
        total = add(tape, total, scale(tape, loss(branch.logits, label, weights), lam / 2));
      }
    }
    return total;
  }

  #update(tape: Tape, learningRate: number): void {
    const { clip_norm, ema } = this.#config;
    let gradient = this.#trained.gatherGradients(tape, this.#optimizer.centralizesGradients);
    if (clip_norm > 0) gradient = clipByNorm(this.native, gradient, clip_norm);
    this.#trained.change((vector) => this.#optimizer.update(vector, gradient, learningRate, this.#step));
    // The decay rises with the steps so that the start is forgotten.
    if (ema > 0) this.#average.update(Math.min(ema, (1 + this.#step) / (10 + this.#step)));
  }

  /** Runs `use` with the averaged weights in place, where weights are averaged. */
  withAverage<T>(use: () => Promise<T>): Promise<T> {
    return this.#average.use(use);
  }

  state(): SessionState {
    return { step: this.#step, optimizer: this.#optimizer.state(), average: this.#average.state() };
  }

  restore({ step, optimizer, average }: SessionState): void {
    this.#step = step;
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

/** Weights that average over the clips which have the modality; all zero where none has it. */
function presenceWeights(observed: Float32Array, modality: number): Float32Array {
  const column = observed.filter((_, i) => i % MODALITIES.length === modality);
  const count = column.reduce((sum, value) => sum + value, 0);
  return column.map((value) => value / Math.max(count, 1));
}

function batchAccuracy(logits: Float32Array, targets: Float32Array): number {
  const clips = logits.length / EMOTION_COUNT;
  let hits = 0;
  for (let row = 0; row < logits.length; row += EMOTION_COUNT) {
    const predicted = argmax(logits.subarray(row, row + EMOTION_COUNT));
    hits += Number(predicted === argmax(targets.subarray(row, row + EMOTION_COUNT)));
  }
  return hits / clips;
}
