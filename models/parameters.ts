import { faceNetwork } from './face.js';
import { multimodalNetwork } from './multimodal.js';
import type {
  AttentionOptions,
  BatchNormOptions,
  ConvOptions,
  Kinds,
  LinearOptions,
  LstmOptions,
  NormOptions,
  Ops,
} from './ops.js';
import type { ModelSpec } from './spec.js';
import { speechNetwork } from './speech.js';
import { textNetwork } from './text.js';

/** How a parameter starts: uniform in [-bound, bound], normal with `std`, or a constant. */
export type Initializer =
  | { kind: 'uniform'; bound: number }
  | { kind: 'normal'; std: number }
  | { kind: 'constant'; value: number };

export interface ParameterSpec {
  /** Name in the PyTorch state dict. */
  name: string;
  /** Shape in PyTorch's layout. */
  shape: number[];
  /** `conv`: (out, in, height, width); `depthwise`: (channels, 1, height, width); `plain`: as it is. */
  layout: 'conv' | 'depthwise' | 'plain';
  /** False for the running statistics of batch normalisation. */
  trainable: boolean;
  initializer: Initializer;
}

interface NoValues extends Kinds {
  image: null;
  frames: null;
  sequence: null;
  vector: null;
  lengths: null;
  presence: null;
}

const constant = (value: number): Initializer => ({ kind: 'constant', value });
const uniform = (bound: number): Initializer => ({ kind: 'uniform', bound });

/** A backend that computes nothing and records the parameters that a network asks for, in order. */
class ParameterRecorder implements Ops<NoValues> {
  readonly parameters: ParameterSpec[] = [];

  #add(name: string, shape: number[], initializer: Initializer, layout: ParameterSpec['layout'] = 'plain'): void {
    this.parameters.push({ name, shape, layout, trainable: true, initializer });
  }

  #statistics(name: string, features: number, value: number): void {
    this.parameters.push({
      name,
      shape: [features],
      layout: 'plain',
      trainable: false,
      initializer: constant(value),
    });
  }

  #convolution(options: ConvOptions, layout: 'conv' | 'depthwise'): null {
    const { name, inChannels, outChannels, kernel, bias } = options;
    // As EfficientNet's authors start their convolutions: normal, variance 2 / fan_out.
    const fanOut = kernel * kernel * (layout === 'conv' ? outChannels : 1);
    const shape = [outChannels, layout === 'conv' ? inChannels : 1, kernel, kernel];
    this.#add(`${name}.weight`, shape, { kind: 'normal', std: Math.sqrt(2 / fanOut) }, layout);
    if (bias) this.#add(`${name}.bias`, [outChannels], constant(0));
    return null;
  }

  #linear({ name, inFeatures, outFeatures }: LinearOptions): null {
    const start = uniform(1 / Math.sqrt(inFeatures));
    this.#add(`${name}.weight`, [outFeatures, inFeatures], start);
    this.#add(`${name}.bias`, [outFeatures], start);
    return null;
  }

  conv2d = (_x: null, options: ConvOptions) => this.#convolution(options, 'conv');
  depthwiseConv2d = (_x: null, options: ConvOptions) => this.#convolution(options, 'depthwise');
  linear = (_x: null, options: LinearOptions) => this.#linear(options);
  linearEach = (_x: null, options: LinearOptions) => this.#linear(options);

  feedForwardEach(_x: null, inner: LinearOptions, outer: LinearOptions): null {
    this.#linear(inner);
    return this.#linear(outer);
  }

  batchNorm(_x: null, { name, features }: BatchNormOptions): null {
    this.#add(`${name}.weight`, [features], constant(1));
    this.#add(`${name}.bias`, [features], constant(0));
    this.#statistics(`${name}.running_mean`, features, 0);
    this.#statistics(`${name}.running_var`, features, 1);
    return null;
  }

  addAndNorm(_x: null, _branch: null, { name, features }: NormOptions): null {
    this.#add(`${name}.weight`, [features], constant(1));
    this.#add(`${name}.bias`, [features], constant(0));
    return null;
  }

  multiHeadAttention(_x: null, { name, features }: AttentionOptions): null {
    // As torch.nn.MultiheadAttention: Xavier-uniform input projections, zero biases.
    this.#add(`${name}.in_proj_weight`, [3 * features, features], uniform(Math.sqrt(6 / (4 * features))));
    this.#add(`${name}.in_proj_bias`, [3 * features], constant(0));
    this.#add(`${name}.out_proj.weight`, [features, features], uniform(1 / Math.sqrt(features)));
    this.#add(`${name}.out_proj.bias`, [features], constant(0));
    return null;
  }

  bidirectionalLstm(_x: null, { name, inFeatures, hidden }: LstmOptions): null {
    const start = uniform(1 / Math.sqrt(hidden));
    for (const direction of ['', '_reverse']) {
      this.#add(`${name}.weight_ih_l0${direction}`, [4 * hidden, inFeatures], start);
      this.#add(`${name}.weight_hh_l0${direction}`, [4 * hidden, hidden], start);
      this.#add(`${name}.bias_ih_l0${direction}`, [4 * hidden], start);
      this.#add(`${name}.bias_hh_l0${direction}`, [4 * hidden], start);
    }
    return null;
  }

  whenPresent(_x: null, _presence: null, _index: number, name: string, features: number): null {
    this.#add(name, [features], { kind: 'normal', std: 0.02 });
    return null;
  }

  normalizeFrames = () => null;
  swish = () => null;
  globalAveragePool = () => null;
  scaleChannels = () => null;
  addImages = () => null;
  dropConnect = () => null;
  flatten = () => null;
  meanOverHeight = () => null;
  framesToSequence = () => null;
  addPositions = () => null;
  exchangeBatchAndTime = () => null;
  frameWeights = () => null;
  equalWeights = () => null;
  multiplySequences = () => null;
  concatEach = () => null;
  weightedMean = () => null;
  shares = () => null;
  dropout = () => null;
  tanh = () => null;
  sigmoid = () => null;
  add = () => null;
  multiply = () => null;
  concat = () => null;
  detach = () => null;
  zeroWhenMissing = () => null;
}

/** Every parameter of the network that `spec` describes, in the order of its computation. */
export function networkParameters(spec: ModelSpec): ParameterSpec[] {
  const recorder = new ParameterRecorder();
  switch (spec.mode) {
    case 'speech':
      speechNetwork(recorder, spec, { logMel: null, lengths: null });
      break;
    case 'face':
      faceNetwork(recorder, spec, null);
      break;
    case 'text':
      textNetwork(recorder, spec, null);
      break;
    case 'multimodal':
      multimodalNetwork(recorder, spec, {
        speech: { logMel: null, lengths: null },
        face: null,
        text: null,
        presence: null,
      });
      break;
  }
  return recorder.parameters;
}

/** Count of trainable numbers. */
export function parameterCount(parameters: readonly ParameterSpec[]): number {
  return parameters
    .filter((parameter) => parameter.trainable)
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
