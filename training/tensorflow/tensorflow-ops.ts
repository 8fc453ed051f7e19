import type {
  AttentionOptions,
  BatchNormOptions,
  ConvOptions,
  Kinds,
  LinearOptions,
  LstmOptions,
  NormOptions,
  Ops,
} from '../../models/ops.js';
import { sinusoidalPositions } from '../../models/positions.js';
import { addAndNorm } from './add-and-norm.js';
import { attention } from './attention.js';
import { dropMask, type KeepMask, keepMask } from './drop-mask.js';
import { feedForward } from './feed-forward.js';
import * as image from './image-primitives.js';
import type { Native, Tensor } from './native.js';
import * as math from './primitives.js';
import { type LstmTensors, lstm, reverseSteps } from './recurrent.js';
import type { Tape } from './tape.js';

/** (batch, time, features) and the int32 count of real steps of each row. */
export interface Sequence {
  tensor: Tensor;
  lengths: Tensor;
  /** True where it is known that all steps are real. */
  full?: boolean;
}

/** Uint8 (batch, time, height, width, 3). */
export interface Frames extends Sequence {
  /** Factor on the pixels after their normalisation. */
  gain: number;
}

export interface TensorFlowKinds extends Kinds {
  image: Tensor;
  frames: Frames;
  sequence: Sequence;
  vector: Tensor;
  lengths: Tensor;
  presence: Tensor;
}

/** The parameters of a network, in TensorFlow's layouts (filters: height, width, in, out). */
export interface Variables {
  get(name: string): Tensor;
  /** Puts new running statistics in place and frees the old ones. */
  replace(name: string, value: Tensor): void;
}

export interface Mode {
  /** Batch statistics, dropout and drop connect. */
  training: boolean;
  /** False leaves out dropout and drop connect in training too. */
  dropout?: boolean;
  /** True where the parameters of this name keep their values, batch statistics included. */
  frozen: (name: string) => boolean;
  /** A new seed for each random operation. */
  seed: () => number;
}

/** The vocabulary of models/ops.ts on TensorFlow's native kernels, recorded on a tape. */
export class TensorFlowOps implements Ops<TensorFlowKinds> {
  readonly #tape: Tape;
  readonly #native: Native;
  readonly #variables: Variables;
  readonly #mode: Mode;

  constructor(tape: Tape, variables: Variables, mode: Mode) {
    this.#tape = tape;
    this.#native = tape.native;
    this.#variables = variables;
    this.#mode = mode;
  }

  normalizeFrames(x: Frames, mean: readonly number[], std: readonly number[]): Tensor {
    const native = this.#native;
    const [batch, time, height, width, channels] = x.tensor.shape as [number, number, number, number, number];
    const images = native.run('Reshape', [x.tensor, native.list([batch * time, height, width, channels])]);
    const floats = native.cast(images, native.float32);
    const factor = native.floats(
      [channels],
      Float32Array.from(std, (value) => x.gain / (255 * value)),
    );
    const shift = native.floats(
      [channels],
      Float32Array.from(std, (value, channel) => (-x.gain * mean[channel]!) / value),
    );
    const scaled = native.run('Mul', [floats, factor]);
    const result = this.#tape.run('AddV2', [scaled, shift]);
    native.free(images, floats, factor, shift, scaled);
    return this.#tape.record(result, [], () => {});
  }

  conv2d(x: Tensor, options: ConvOptions): Tensor {
    const result = image.conv2d(
      this.#tape,
      this.#half(x),
      this.#half(this.#variables.get(`${options.name}.weight`)),
      options,
    );
    if (!options.bias) return result;
    return image.biasAdd(this.#tape, result, this.#half(this.#variables.get(`${options.name}.bias`)));
  }

  depthwiseConv2d(x: Tensor, options: ConvOptions): Tensor {
    return image.depthwiseConv2d(this.#tape, x, this.#half(this.#variables.get(`${options.name}.weight`)), options);
  }

  batchNorm(x: Tensor, { name, epsilon, momentum }: BatchNormOptions): Tensor {
    const tensors = {
      gain: this.#variables.get(`${name}.weight`),
      shift: this.#variables.get(`${name}.bias`),
      runningMean: this.#variables.get(`${name}.running_mean`),
      runningVariance: this.#variables.get(`${name}.running_var`),
    };
    if (!this.#mode.training || this.#mode.frozen(name)) return image.batchNormFixed(this.#tape, x, tensors, epsilon);
    const updated = image.batchNormTraining(this.#tape, x, tensors, epsilon, momentum);
    this.#variables.replace(`${name}.running_mean`, updated.runningMean);
    this.#variables.replace(`${name}.running_var`, updated.runningVariance);
    return updated.result;
  }

  swish(x: Tensor): Tensor {
    return image.swish(this.#tape, x);
  }

  /** First along the rows, then over their means: one long float32 sum a channel would cost a digit on large images. */
  globalAveragePool(x: Tensor): Tensor {
    return image.meanAxes(this.#tape, image.meanAxes(this.#tape, x, [2]), [1]);
  }

  scaleChannels(x: Tensor, gate: Tensor): Tensor {
    return math.multiply(this.#tape, x, math.sigmoid(this.#tape, gate));
  }

  addImages(a: Tensor, b: Tensor): Tensor {
    return math.add(this.#tape, a, b);
  }

  dropConnect(x: Tensor, rate: number): Tensor {
    if (!this.#drops || rate === 0) return x;
    const mask = this.#dropMask([x.shape[0]!, 1, 1, 1], rate);
    return math.multiply(this.#tape, x, math.cast(this.#tape, mask, x.dtype));
  }

  flatten(x: Tensor): Tensor {
    return math.cast(this.#tape, math.reshape(this.#tape, x, [x.shape[0]!, x.shape[3]!]), this.#native.float32);
  }

  meanOverHeight(x: Tensor, lengths: Tensor, stride: number): Sequence {
    const [batch, , width, channels] = x.shape as [number, number, number, number];
    const mean = image.meanAxes(this.#tape, math.cast(this.#tape, x, this.#native.float32), [1]);
    const tensor = math.reshape(this.#tape, mean, [batch, width, channels]);
    const rounded = this.#tape.run('AddV2', [lengths, this.#native.intScalar(stride - 1)]);
    const steps = this.#tape.run('FloorDiv', [rounded, this.#native.intScalar(stride)]);
    return { tensor, lengths: this.#tape.run('Minimum', [steps, this.#native.intScalar(width)]) };
  }

  framesToSequence(x: Tensor, like: Sequence): Sequence {
    const [batch, time] = like.tensor.shape as [number, number];
    return { tensor: math.reshape(this.#tape, x, [batch, time, x.shape[1]!]), lengths: like.lengths };
  }

  linearEach(x: Sequence, options: LinearOptions): Sequence {
    const [batch, time, features] = x.tensor.shape as [number, number, number];
    const rows = math.reshape(this.#tape, x.tensor, [batch * time, features]);
    return this.#each(x, math.reshape(this.#tape, this.linear(rows, options), [batch, time, options.outFeatures]));
  }

  feedForwardEach(x: Sequence, inner: LinearOptions, outer: LinearOptions, dropout: number): Sequence {
    const [batch, time] = x.tensor.shape as [number, number];
    const kept = this.#keepMask([batch * time, inner.outFeatures], dropout);
    const tensors = ({ name }: LinearOptions) => ({
      weight: this.#variables.get(`${name}.weight`),
      bias: this.#variables.get(`${name}.bias`),
    });
    return this.#each(x, feedForward(this.#tape, x.tensor, tensors(inner), tensors(outer), kept));
  }

  addAndNorm(x: Sequence, branch: Sequence, { name, epsilon }: NormOptions, dropout: number): Sequence {
    const tensors = { gain: this.#variables.get(`${name}.weight`), shift: this.#variables.get(`${name}.bias`) };
    const kept = this.#keepMask(x.tensor.shape, dropout);
    return this.#each(x, addAndNorm(this.#tape, x.tensor, branch.tensor, tensors, epsilon, kept));
  }

  addPositions(x: Sequence, features: number, maxSteps: number): Sequence {
    const time = Math.min(x.tensor.shape[1]!, maxSteps);
    const [table] = this.#tape.keep(this.#native.floats([1, time, features], sinusoidalPositions(time, features)));
    return this.#each(x, math.add(this.#tape, x.tensor, table!));
  }

  exchangeBatchAndTime(x: Sequence): Sequence {
    const [batch, time] = x.tensor.shape as [number, number];
    const lengths = this.#tape.run('Fill', [this.#native.list([time]), this.#native.intScalar(batch)]);
    return { tensor: math.transpose(this.#tape, x.tensor, [1, 0, 2]), lengths, full: true };
  }

  multiHeadAttention(x: Sequence, { name, heads, dropout }: AttentionOptions): Sequence {
    const tensors = {
      inWeight: this.#variables.get(`${name}.in_proj_weight`),
      inBias: this.#variables.get(`${name}.in_proj_bias`),
      outWeight: this.#variables.get(`${name}.out_proj.weight`),
      outBias: this.#variables.get(`${name}.out_proj.bias`),
    };
    const [batch, time] = x.tensor.shape as [number, number];
    const penalty = x.full ? null : this.#paddingPenalty(x);
    const kept = this.#keepMask([batch, heads, time, time], dropout);
    return this.#each(x, attention(this.#tape, x.tensor, tensors, heads, penalty, kept));
  }

  bidirectionalLstm(x: Sequence, { name }: LstmOptions): Sequence {
    const tape = this.#tape;
    const parameters = (direction: string): LstmTensors => ({
      inputWeight: this.#variables.get(`${name}.weight_ih_l0${direction}`),
      hiddenWeight: this.#variables.get(`${name}.weight_hh_l0${direction}`),
      inputBias: this.#variables.get(`${name}.bias_ih_l0${direction}`),
      hiddenBias: this.#variables.get(`${name}.bias_hh_l0${direction}`),
    });
    const timeFirst = math.transpose(tape, x.tensor, [1, 0, 2]);
    const forward = lstm(tape, timeFirst, parameters(''));
    const reversed = lstm(tape, reverseSteps(tape, timeFirst, x.lengths), parameters('_reverse'));
    const both = math.concat(tape, [forward, reverseSteps(tape, reversed, x.lengths)], 2);
    return this.#each(x, math.transpose(tape, both, [1, 0, 2]));
  }

  frameWeights(x: Sequence): Sequence {
    const weights = math.scaleShift(this.#tape, math.sigmoid(this.#tape, x.tensor), 1, 1e-3);
    return this.#each(x, math.multiply(this.#tape, weights, this.#mask(x)));
  }

  equalWeights(x: Sequence): Sequence {
    return this.#each(x, this.#mask(x));
  }

  multiplySequences(a: Sequence, b: Sequence): Sequence {
    return this.#each(a, math.multiply(this.#tape, a.tensor, b.tensor));
  }

  concatEach(v: Tensor, x: Sequence): Sequence {
    const [batch, time] = x.tensor.shape as [number, number];
    const column = math.reshape(this.#tape, v, [batch, 1, v.shape[1]!]);
    const repeated = math.multiply(this.#tape, column, this.#native.ones([1, time, 1]));
    return this.#each(x, math.concat(this.#tape, [repeated, x.tensor], 2));
  }

  weightedMean(x: Sequence, weights: Sequence): Tensor {
    const tape = this.#tape;
    const total = math.sumAxis(tape, math.multiply(tape, x.tensor, weights.tensor), 1);
    const mean = math.divide(tape, total, math.sumAxis(tape, weights.tensor, 1));
    return math.reshape(tape, mean, [x.tensor.shape[0]!, x.tensor.shape[2]!]);
  }

  shares(weights: Sequence): Tensor {
    const [batch, time] = weights.tensor.shape as [number, number];
    const shares = math.divide(this.#tape, weights.tensor, math.sumAxis(this.#tape, weights.tensor, 1));
    return math.reshape(this.#tape, shares, [batch, time]);
  }

  linear(x: Tensor, { name }: LinearOptions): Tensor {
    return math.dense(this.#tape, x, this.#variables.get(`${name}.weight`), this.#variables.get(`${name}.bias`));
  }

  dropout(x: Tensor, rate: number): Tensor {
    if (!this.#drops || rate === 0) return x;
    return math.multiply(this.#tape, x, this.#dropMask(x.shape, rate));
  }

  tanh(x: Tensor): Tensor {
    return math.tanh(this.#tape, x);
  }

  sigmoid(x: Tensor): Tensor {
    return math.sigmoid(this.#tape, x);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return math.add(this.#tape, a, b);
  }

  multiply(a: Tensor, b: Tensor): Tensor {
    return math.multiply(this.#tape, a, b);
  }

  concat(parts: readonly Tensor[]): Tensor {
    return math.concat(this.#tape, parts, 1);
  }

  detach(x: Tensor): Tensor {
    return this.#tape.record(this.#tape.run('Identity', [x]), [], () => {});
  }

  whenPresent(x: Tensor, presence: Tensor, index: number, name: string): Tensor {
    const tape = this.#tape;
    const present = math.slice(tape, presence, [0, index], [presence.shape[0]!, 1]);
    const absent = math.scaleShift(tape, present, -1, 1);
    const learned = math.multiply(tape, absent, this.#variables.get(name));
    return math.add(tape, math.multiply(tape, x, present), learned);
  }

  zeroWhenMissing(x: Tensor, presence: Tensor, index: number): Tensor {
    const present = math.slice(this.#tape, presence, [0, index], [presence.shape[0]!, 1]);
    return math.multiply(this.#tape, x, present);
  }

  /** In the data type of convolutions. */
  #half(x: Tensor): Tensor {
    return math.cast(this.#tape, x, this.#tape.computeType);
  }

  get #drops(): boolean {
    return this.#mode.training && this.#mode.dropout !== false;
  }

  #each(x: Sequence, tensor: Tensor): Sequence {
    return { ...x, tensor };
  }

  /** (batch, time, 1): 1 on the real steps, 0 beyond. */
  #mask({ tensor, lengths }: Sequence): Tensor {
    const [batch, time] = tensor.shape as [number, number];
    const steps = this.#native.list(Array.from({ length: time }, (_, step) => step));
    const ends = this.#tape.run('Reshape', [lengths, this.#native.list([batch, 1])]);
    const real = this.#tape.run('Less', [steps, ends]);
    const [mask] = this.#tape.keep(this.#native.cast(real, this.#native.float32));
    const shaped = this.#tape.run('Reshape', [mask!, this.#native.list([batch, time, 1])]);
    return this.#tape.record(shaped, [], () => {});
  }

  /** (batch, 1, 1, time): 0 on the real steps, -1e9 beyond, to be added to attention scores. */
  #paddingPenalty(x: Sequence): Tensor {
    const [batch, time] = x.tensor.shape as [number, number];
    const mask = math.reshape(this.#tape, this.#mask(x), [batch, 1, 1, time]);
    return math.scaleShift(this.#tape, mask, 1e9, -1e9);
  }

  /** What draws the mask of a dropout, the same each time; null where nothing is dropped. */
  #keepMask(shape: readonly number[], rate: number): KeepMask | null {
    if (!this.#drops || rate === 0) return null;
    const seed = this.#mode.seed();
    const scale = 1 / (1 - rate);
    return { scale, draw: () => keepMask(this.#native, shape, rate, seed, scale) };
  }

  #dropMask(shape: readonly number[], rate: number): Tensor {
    const [mask] = this.#tape.keep(dropMask(this.#native, shape, rate, this.#mode.seed()));
    return this.#tape.record(mask!, [], () => {});
  }
}
