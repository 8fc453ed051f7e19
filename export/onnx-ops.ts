import type { StateDict } from '../common/safetensors.js';
import type {
  AttentionOptions,
  BatchNormOptions,
  ConvOptions,
  Kinds,
  LinearOptions,
  LstmOptions,
  NormOptions,
  Ops,
} from '../models/ops.js';
import { sinusoidalPositions } from '../models/positions.js';
import { DATA_TYPE, type GraphWriter } from './onnx-graph.js';
import { type Padded, PaddingMasks } from './onnx-masks.js';
import { concatFloats, onnxGates, transposeMatrix } from './onnx-weights.js';

/** Uint8 (batch, time, size, size, 3). */
export interface OnnxFrames extends Padded {
  value: string;
  size: number;
  /** Float (1): factor on the pixels after their normalisation. */
  gain: string;
}

/** (batch, channels, height, width). */
export interface OnnxImage {
  value: string;
  height: number;
  /** Null: open. A name is one that additions gave it. */
  width: number | string | null;
}

/** Letters of the layout: b batch, t time, f features. */
export interface OnnxSequence extends Padded {
  value: string;
  layout: 'btf' | 'bft';
}

/** Values by their names in the graph; vectors are (batch, features). */
export interface OnnxKinds extends Kinds {
  image: OnnxImage;
  frames: OnnxFrames;
  sequence: OnnxSequence;
  vector: string;
  lengths: string;
  presence: string;
}

/** Added to each frame's weight, so that a clip whose weights all vanish still has a mean. */
const WEIGHT_FLOOR = 1e-3;

/** Images of more rows are averaged in two stages. */
const ROWS_OF_ONE_SUM = 16;

/**
 * Writes a network as ONNX nodes for inference: channels first, with real LSTM, Attention and LayerNormalization
 * operators, and batch and time left open. Dropout, drop-connect and detach leave nothing behind.
 */
export class OnnxOps implements Ops<OnnxKinds> {
  readonly #graph: GraphWriter;
  readonly #state: StateDict;
  readonly #masks: PaddingMasks;

  /** @param state holds every parameter of the networks that will be written */
  constructor(graph: GraphWriter, state: StateDict) {
    this.#graph = graph;
    this.#state = state;
    this.#masks = new PaddingMasks(graph);
  }

  normalizeFrames(x: OnnxFrames, mean: readonly number[], std: readonly number[]): OnnxImage {
    const graph = this.#graph;
    const channels = (name: string, value: (channel: number) => number) =>
      graph.node('Mul', [graph.floats(`frames.${name}`, [1, 3, 1, 1], Float32Array.from([0, 1, 2], value)), x.gain]);
    const scale = channels('scale', (channel) => 1 / (255 * std[channel]!));
    const shift = channels('shift', (channel) => -mean[channel]! / std[channel]!);
    const images = graph.node('Reshape', [x.value, graph.ints([-1, x.size, x.size, 3])]);
    // Moved while they are bytes: a quarter of the memory traffic.
    const channelsFirst = graph.node('Transpose', [images], { perm: [0, 3, 1, 2] });
    graph.hint(channelsFirst, 'uint8', ['images', 3, x.size, x.size]);
    const floats = graph.node('Cast', [channelsFirst], { to: DATA_TYPE.float32 });
    return { value: graph.node('Add', [graph.node('Mul', [floats, scale]), shift]), height: x.size, width: x.size };
  }

  conv2d(x: OnnxImage, options: ConvOptions): OnnxImage {
    return this.#convolution(x, options, 1);
  }

  depthwiseConv2d(x: OnnxImage, options: ConvOptions): OnnxImage {
    return this.#convolution(x, options, options.outChannels);
  }

  batchNorm(x: OnnxImage, { name, epsilon }: BatchNormOptions): OnnxImage {
    const parameters = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      this.#parameter(`${name}.${part}`),
    );
    return this.#image(x, (value) => this.#graph.node('BatchNormalization', [value, ...parameters], { epsilon }, name));
  }

  swish(x: OnnxImage): OnnxImage {
    return this.#image(x, (value) => this.#graph.node('Mul', [value, this.#graph.node('Sigmoid', [value])]));
  }

  /**
   * ONNX Runtime's GlobalAveragePool adds all pixels one after the other: quick, but one long float32 sum costs a digit
   * on large, partly constant images such as padded spectrograms. Those are averaged row by row first.
   */
  globalAveragePool({ value, height }: OnnxImage): OnnxImage {
    const mean = (of: string, axis: number) =>
      this.#graph.node('ReduceMean', [of, this.#graph.ints([axis])], { keepdims: 1 });
    const pooled = height > ROWS_OF_ONE_SUM ? mean(mean(value, 3), 2) : this.#graph.node('GlobalAveragePool', [value]);
    return { value: pooled, height: 1, width: 1 };
  }

  scaleChannels(x: OnnxImage, gate: OnnxImage): OnnxImage {
    return this.#image(x, (value) => this.#graph.node('Mul', [value, this.#graph.node('Sigmoid', [gate.value])]));
  }

  addImages(a: OnnxImage, b: OnnxImage): OnnxImage {
    const width = b.width ?? `width of ${b.value}`;
    if (typeof width === 'string') {
      for (const { value } of [a, b]) this.#graph.hint(value, 'float32', [null, null, null, width]);
    }
    return this.#image({ ...a, width }, (value) => this.#graph.node('Add', [value, b.value]));
  }

  dropConnect = (x: OnnxImage) => x;
  flatten = (x: OnnxImage) => this.#graph.node('Flatten', [x.value], { axis: 1 });

  meanOverHeight(x: OnnxImage, lengths: string, stride: number): OnnxSequence {
    const graph = this.#graph;
    const value = graph.node('ReduceMean', [x.value, graph.ints([2])], { keepdims: 0 });
    const steps = graph.node('Shape', [value], { start: 2, end: 3 });
    const long = graph.node('Cast', [lengths], { to: DATA_TYPE.int64 });
    const rounded = graph.node('Add', [long, graph.ints([stride - 1])]);
    const strided = graph.node('Div', [rounded, graph.ints([stride])]);
    const counts = graph.node('Cast', [graph.node('Min', [strided, steps])], { to: DATA_TYPE.int32 });
    return { value, layout: 'bft', counts, steps };
  }

  framesToSequence(x: string, { value, counts, steps }: OnnxFrames): OnnxSequence {
    const graph = this.#graph;
    const clips = graph.node('Shape', [value], { start: 0, end: 2 });
    const shape = graph.node('Concat', [clips, graph.ints([-1])], { axis: 0 });
    return { value: graph.node('Reshape', [x, shape]), layout: 'btf', counts, steps };
  }

  linearEach(x: OnnxSequence, { name, inFeatures, outFeatures }: LinearOptions): OnnxSequence {
    const weight = this.#transposed(`${name}.weight`, outFeatures, inFeatures);
    return this.#affineEach(x, weight, this.#parameter(`${name}.bias`), name);
  }

  feedForwardEach(x: OnnxSequence, inner: LinearOptions, outer: LinearOptions): OnnxSequence {
    const wide = this.#each(this.linearEach(x, inner), (value) => this.#graph.node('Relu', [value]));
    return this.linearEach(wide, outer);
  }

  multiplySequences = (a: OnnxSequence, b: OnnxSequence) =>
    this.#each(a, (value) => this.#graph.node('Mul', [value, this.#batchFirst(b)]));

  addAndNorm(x: OnnxSequence, branch: OnnxSequence, { name, epsilon }: NormOptions): OnnxSequence {
    return this.#each(x, (value) => {
      const sum = this.#graph.node('Add', [value, this.#batchFirst(branch)]);
      const parameters = [this.#parameter(`${name}.weight`), this.#parameter(`${name}.bias`)];
      return this.#graph.node('LayerNormalization', [sum, ...parameters], { axis: -1, epsilon }, name);
    });
  }

  addPositions(x: OnnxSequence, features: number, maxSteps: number): OnnxSequence {
    const graph = this.#graph;
    const table = graph.floats('positions', [maxSteps, features], sinusoidalPositions(maxSteps, features));
    const used = graph.node('Slice', [table, graph.ints([0]), x.steps, graph.ints([0])]);
    return this.#each(x, (value) => graph.node('Add', [value, used]));
  }

  exchangeBatchAndTime(x: OnnxSequence): OnnxSequence {
    const graph = this.#graph;
    const batchFirst = this.#batchFirst(x);
    const batch = graph.node('Shape', [batchFirst], { start: 0, end: 1 });
    const value = graph.node('Transpose', [batchFirst], { perm: [1, 0, 2] });
    const count = graph.node('Cast', [batch], { to: DATA_TYPE.int32 });
    return { value, layout: 'btf', counts: graph.node('Expand', [count, x.steps]), steps: batch };
  }

  multiHeadAttention(x: OnnxSequence, { name, features, heads }: AttentionOptions): OnnxSequence {
    const graph = this.#graph;
    const inWeight = this.#transposed(`${name}.in_proj_weight`, 3 * features, features);
    const projected = this.#affineEach(x, inWeight, this.#parameter(`${name}.in_proj_bias`), `${name}.in_proj`);
    const parts = graph.nodes('Split', [projected.value], 3, { axis: 2, num_outputs: 3 }, `${name}.split`);
    const attributes = { q_num_heads: heads, kv_num_heads: heads };
    const value = graph.node('Attention', [...parts, this.#masks.attention(x)], attributes, name);
    const outWeight = this.#transposed(`${name}.out_proj.weight`, features, features);
    return this.#affineEach({ ...x, value }, outWeight, this.#parameter(`${name}.out_proj.bias`), `${name}.out_proj`);
  }

  /** The runtime's LSTM is time-major and leaves zeros beyond each row's last real step. */
  bidirectionalLstm(x: OnnxSequence, { name, inFeatures, hidden }: LstmOptions): OnnxSequence {
    const graph = this.#graph;
    const both = (part: string) =>
      ['', '_reverse'].map((direction) => onnxGates(this.#data(`${name}.${part}_l0${direction}`)));
    const [inputBias, inputBiasReverse] = both('bias_ih');
    const [hiddenBias, hiddenBiasReverse] = both('bias_hh');
    const biases = [inputBias!, hiddenBias!, inputBiasReverse!, hiddenBiasReverse!];
    const weights = [
      graph.floats(`${name}.W`, [2, 4 * hidden, inFeatures], concatFloats(both('weight_ih'))),
      graph.floats(`${name}.R`, [2, 4 * hidden, hidden], concatFloats(both('weight_hh'))),
      graph.floats(`${name}.B`, [2, 8 * hidden], concatFloats(biases)),
    ];
    const timeFirst = graph.node('Transpose', [x.value], { perm: x.layout === 'btf' ? [1, 0, 2] : [2, 0, 1] });
    const attributes = { hidden_size: hidden, direction: 'bidirectional' };
    const output = graph.node('LSTM', [timeFirst, ...weights, x.counts], attributes, name);
    // (time, direction, batch, hidden) to (batch, time, direction, hidden), then both directions side by side.
    const batchFirst = graph.node('Transpose', [output], { perm: [2, 0, 1, 3] });
    const value = graph.node('Reshape', [batchFirst, graph.ints([0, 0, 2 * hidden])]);
    return { ...x, value, layout: 'btf' };
  }

  frameWeights(x: OnnxSequence): OnnxSequence {
    const graph = this.#graph;
    return this.#each(x, (value) => {
      const weights = graph.node('Add', [graph.node('Sigmoid', [value]), graph.scalar(WEIGHT_FLOOR)]);
      return graph.node('Mul', [weights, this.#masks.floats(x)]);
    });
  }

  equalWeights = (x: OnnxSequence) => this.#each(x, () => this.#masks.floats(x));

  concatEach(v: string, x: OnnxSequence): OnnxSequence {
    const graph = this.#graph;
    const shape = graph.node('Concat', [graph.ints([1]), x.steps, graph.ints([1])], { axis: 0 });
    const repeated = graph.node('Expand', [graph.node('Unsqueeze', [v, graph.ints([1])]), shape]);
    return this.#each(x, (value) => graph.node('Concat', [repeated, value], { axis: 2 }));
  }

  weightedMean(x: OnnxSequence, weights: OnnxSequence): string {
    const graph = this.#graph;
    const weighed = graph.node('Mul', [this.#batchFirst(x), this.#normalized(weights)]);
    return graph.node('ReduceSum', [weighed, graph.ints([1])], { keepdims: 0 });
  }

  shares(weights: OnnxSequence): string {
    return this.#graph.node('Squeeze', [this.#normalized(weights), this.#graph.ints([2])]);
  }

  linear(x: string, { name }: LinearOptions): string {
    const parameters = [this.#parameter(`${name}.weight`), this.#parameter(`${name}.bias`)];
    return this.#graph.node('Gemm', [x, ...parameters], { transB: 1 }, name);
  }

  dropout = (x: string) => x;
  tanh = (x: string) => this.#graph.node('Tanh', [x]);
  sigmoid = (x: string) => this.#graph.node('Sigmoid', [x]);
  add = (a: string, b: string) => this.#graph.node('Add', [a, b]);
  multiply = (a: string, b: string) => this.#graph.node('Mul', [a, b]);
  concat = (parts: readonly string[]) => this.#graph.node('Concat', [...parts], { axis: 1 });
  detach = (x: string) => x;

  whenPresent(x: string, presence: string, index: number, name: string): string {
    return this.#graph.node('Where', [this.#present(presence, index), x, this.#parameter(name)]);
  }

  zeroWhenMissing(x: string, presence: string, index: number): string {
    return this.#graph.node('Where', [this.#present(presence, index), x, this.#graph.scalar(0)]);
  }

  #convolution(x: OnnxImage, options: ConvOptions, group: number): OnnxImage {
    const { name, kernel, stride, padding, bias } = options;
    const parameters = (bias ? ['weight', 'bias'] : ['weight']).map((part) => this.#parameter(`${name}.${part}`));
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding.top, padding.left, padding.bottom, padding.right],
      group,
    };
    const after = (size: number, around: number) => Math.floor((size + around - kernel) / stride) + 1;
    return {
      value: this.#graph.node('Conv', [x.value, ...parameters], attributes, name),
      height: after(x.height, padding.top + padding.bottom),
      width: typeof x.width === 'number' ? after(x.width, padding.left + padding.right) : null,
    };
  }

  #image(x: OnnxImage, compute: (value: string) => string): OnnxImage {
    return { ...x, value: compute(x.value) };
  }

  #affineEach(x: OnnxSequence, weight: string, bias: string, name: string): OnnxSequence {
    return this.#each(x, (value) =>
      this.#graph.node('Add', [this.#graph.node('MatMul', [value, weight], {}, name), bias]),
    );
  }

  #each(x: OnnxSequence, compute: (value: string) => string): OnnxSequence {
    return { ...x, value: compute(this.#batchFirst(x)), layout: 'btf' };
  }

  #batchFirst({ value, layout }: OnnxSequence): string {
    return layout === 'btf'
      ? value
      : this.#graph.once(`${value} btf`, () => this.#graph.node('Transpose', [value], { perm: [0, 2, 1] }));
  }

  /** weights / sum(weights) over time: (batch, time, 1). */
  #normalized(weights: OnnxSequence): string {
    const graph = this.#graph;
    const value = this.#batchFirst(weights);
    return graph.once(`${value} normalized`, () =>
      graph.node('Div', [value, graph.node('ReduceSum', [value, graph.ints([1])], { keepdims: 1 })]),
    );
  }

  /** Bool (batch, 1). */
  #present(presence: string, index: number): string {
    const graph = this.#graph;
    return graph.once(`${presence} ${index}`, () =>
      graph.node('Greater', [graph.node('Gather', [presence, graph.ints([index])], { axis: 1 }), graph.scalar(0.5)]),
    );
  }

  #parameter(name: string): string {
    return this.#graph.floats(name, this.#tensor(name).shape, this.#data(name));
  }

  /** A PyTorch linear weight (rows, columns) as the right operand of a MatMul. */
  #transposed(name: string, rows: number, columns: number): string {
    return this.#graph.floats(`${name}.transposed`, [columns, rows], transposeMatrix(this.#data(name), rows, columns));
  }

  #data(name: string): Float32Array {
    const tensor = this.#tensor(name);
    if (tensor.dtype !== 'F32') throw new TypeError(`Parameter ${name} is of type ${tensor.dtype}.`);
    return tensor.data;
  }

  #tensor(name: string) {
    const tensor = this.#state.get(name);
    if (!tensor) throw new RangeError(`The state has no parameter ${name}.`);
    return tensor;
  }
}
