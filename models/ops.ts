/**
 * The vocabulary that networks are written in. A backend gives each kind of value its own representation;
 * the memory layout is the backend's secret (TensorFlow: channels last; ONNX: channels first).
 */
export interface Kinds {
  /** (batch, height, width, channels). */
  image: unknown;
  /** Uint8 RGB video: (batch, time, height, width, 3) with the count of real frames of each clip. */
  frames: unknown;
  /** (batch, time, features) with the count of real steps of each row; what lies beyond is padding. */
  sequence: unknown;
  /** (batch, features). */
  vector: unknown;
  /** (batch), int32: the count of real steps of each row. */
  lengths: unknown;
  /** (batch, 3): 1 where the modality is there, 0 where it is missing, in the order of MODALITIES. */
  presence: unknown;
}

/** Zeros added around an image, in pixels. */
export interface Padding {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface ConvOptions {
  /** Name of the layer in the PyTorch state dict; `.weight` and `.bias` are added to it. */
  name: string;
  inChannels: number;
  outChannels: number;
  kernel: number;
  stride: number;
  padding: Padding;
  bias: boolean;
}

export interface LinearOptions {
  name: string;
  inFeatures: number;
  outFeatures: number;
}

export interface NormOptions {
  name: string;
  features: number;
  epsilon: number;
}

export interface BatchNormOptions extends NormOptions {
  /** Weight of the new batch in the running statistics (PyTorch's convention). */
  momentum: number;
}

export interface LstmOptions {
  name: string;
  inFeatures: number;
  /** Hidden size of one direction. */
  hidden: number;
}

export interface AttentionOptions {
  name: string;
  features: number;
  heads: number;
  /** Dropout of the attention probabilities, training only. */
  dropout: number;
}

/**
 * One method an operation. Parameters are named, shaped and initialised by the operation itself, in PyTorch's names
 * and layouts. Methods with a dropout or drop-connect rate act in training only.
 */
export interface Ops<K extends Kinds> {
  /** Scales bytes to [0, 1], then (x - mean) / std by channel; every frame becomes one image of the batch. */
  normalizeFrames(x: K['frames'], mean: readonly number[], std: readonly number[]): K['image'];
  conv2d(x: K['image'], options: ConvOptions): K['image'];
  /** One filter a channel; `inChannels` equals `outChannels`. */
  depthwiseConv2d(x: K['image'], options: ConvOptions): K['image'];
  batchNorm(x: K['image'], options: BatchNormOptions): K['image'];
  /** x * sigmoid(x). */
  swish(x: K['image']): K['image'];
  /** Mean over height and width, kept as a 1 x 1 image. */
  globalAveragePool(x: K['image']): K['image'];
  /** Multiplies each channel of `x` by sigmoid(gate), where `gate` is a 1 x 1 image. */
  scaleChannels(x: K['image'], gate: K['image']): K['image'];
  addImages(a: K['image'], b: K['image']): K['image'];
  /** Drops whole images of the batch (stochastic depth, arXiv 1603.09382) and rescales the others. */
  dropConnect(x: K['image'], rate: number): K['image'];
  /** A 1 x 1 image as a vector. */
  flatten(x: K['image']): K['vector'];
  /** Mean over the height; the width becomes time, of which min(width, ceil(lengths / stride)) steps are real. */
  meanOverHeight(x: K['image'], lengths: K['lengths'], stride: number): K['sequence'];
  /** One vector a frame back to one sequence a clip, with the lengths of `like`. */
  framesToSequence(x: K['vector'], like: K['frames']): K['sequence'];

  linearEach(x: K['sequence'], options: LinearOptions): K['sequence'];
  /** Two linear layers; between them ReLU, and dropout of `dropout` in training. */
  feedForwardEach(x: K['sequence'], inner: LinearOptions, outer: LinearOptions, dropout: number): K['sequence'];
  /** Layer normalisation (arXiv 1607.06450) of the sum of `x` and `branch`, of which dropout leaves out its rate. */
  addAndNorm(x: K['sequence'], branch: K['sequence'], options: NormOptions, dropout: number): K['sequence'];
  /** Adds sinusoidal positions (arXiv 1706.03762) for up to `maxSteps` steps. */
  addPositions(x: K['sequence'], features: number, maxSteps: number): K['sequence'];
  /** Exchanges the batch with the time: (time, batch, features), every step real, padding included. */
  exchangeBatchAndTime(x: K['sequence']): K['sequence'];
  /** Scaled dot-product self-attention over the real steps, with input and output projections. */
  multiHeadAttention(x: K['sequence'], options: AttentionOptions): K['sequence'];
  /** Forward and backward outputs side by side: (batch, time, 2 * hidden). The backward pass starts at the last real step. */
  bidirectionalLstm(x: K['sequence'], options: LstmOptions): K['sequence'];
  /** sigmoid(x) + 1e-3 on the real steps of a one-feature sequence, 0 beyond. */
  frameWeights(x: K['sequence']): K['sequence'];
  /** Equal weights: 1 on the real steps, 0 beyond, as a one-feature sequence. */
  equalWeights(x: K['sequence']): K['sequence'];
  multiplySequences(a: K['sequence'], b: K['sequence']): K['sequence'];
  /** `v` before the features of every step. */
  concatEach(v: K['vector'], x: K['sequence']): K['sequence'];
  /** sum(weights * x) / sum(weights) over time, for one-feature `weights`. */
  weightedMean(x: K['sequence'], weights: K['sequence']): K['vector'];
  /** weights / sum(weights) over time: (batch, time). */
  shares(weights: K['sequence']): K['vector'];

  linear(x: K['vector'], options: LinearOptions): K['vector'];
  dropout(x: K['vector'], rate: number): K['vector'];
  tanh(x: K['vector']): K['vector'];
  sigmoid(x: K['vector']): K['vector'];
  add(a: K['vector'], b: K['vector']): K['vector'];
  multiply(a: K['vector'], b: K['vector']): K['vector'];
  concat(parts: readonly K['vector'][]): K['vector'];
  /** The same value, through which no gradient flows. */
  detach(x: K['vector']): K['vector'];
  /** Rows of `x` where modality number `index` is present, the learned embedding `name` where it is missing. */
  whenPresent(x: K['vector'], presence: K['presence'], index: number, name: string, features: number): K['vector'];
  /** Rows of `x` where modality number `index` is present, zeros where it is missing. */
  zeroWhenMissing(x: K['vector'], presence: K['presence'], index: number): K['vector'];
}
