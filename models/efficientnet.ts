import type { Kinds, Ops, Padding } from './ops.js';
import type { Coefficient } from './spec.js';

interface Scaling {
  width: number;
  depth: number;
  /** The image size that the static padding of each layer is computed for. */
  imageSize: number;
  /** Weight of the new batch in the running statistics. */
  momentum: number;
}

/** Compound scaling of EfficientNet (arXiv 1905.11946), and a `tiny` one of ours that trains from scratch in seconds. */
const SCALING: Record<Coefficient, Scaling> = {
  '0': { width: 1.0, depth: 1.0, imageSize: 224, momentum: 0.01 },
  '1': { width: 1.0, depth: 1.1, imageSize: 240, momentum: 0.01 },
  '2': { width: 1.1, depth: 1.2, imageSize: 260, momentum: 0.01 },
  '3': { width: 1.2, depth: 1.4, imageSize: 300, momentum: 0.01 },
  '4': { width: 1.4, depth: 1.8, imageSize: 380, momentum: 0.01 },
  '5': { width: 1.6, depth: 2.2, imageSize: 456, momentum: 0.01 },
  '6': { width: 1.8, depth: 2.6, imageSize: 528, momentum: 0.01 },
  '7': { width: 2.0, depth: 3.1, imageSize: 600, momentum: 0.01 },
  tiny: { width: 0.35, depth: 0.3, imageSize: 56, momentum: 0.1 },
};

/** The stages of the b0 network: repeats, kernel, stride, expansion, output channels. */
const STAGES = [
  { repeats: 1, kernel: 3, stride: 1, expand: 1, out: 16 },
  { repeats: 2, kernel: 3, stride: 2, expand: 6, out: 24 },
  { repeats: 2, kernel: 5, stride: 2, expand: 6, out: 40 },
  { repeats: 3, kernel: 3, stride: 2, expand: 6, out: 80 },
  { repeats: 3, kernel: 5, stride: 1, expand: 6, out: 112 },
  { repeats: 4, kernel: 5, stride: 2, expand: 6, out: 192 },
  { repeats: 1, kernel: 3, stride: 1, expand: 6, out: 320 },
] as const;

const EPSILON = 1e-3;
const DROP_CONNECT = 0.2;
const NO_PADDING: Padding = { left: 0, right: 0, top: 0, bottom: 0 };

/** Total reduction of height and width. */
export const EFFICIENTNET_STRIDE = 32;

/** Channels scaled by `width`, rounded to a multiple of 8 that is not under 90 % of the exact number. */
export function scaledChannels(channels: number, coefficient: Coefficient): number {
  const exact = channels * SCALING[coefficient].width;
  if (SCALING[coefficient].width === 1) return channels;
  const rounded = Math.max(8, Math.floor((exact + 4) / 8) * 8);
  return rounded < 0.9 * exact ? rounded + 8 : rounded;
}

/** Channels of the extracted features: 1280 for b0, 1792 for b4. */
export function efficientNetFeatures(coefficient: Coefficient): number {
  return scaledChannels(1280, coefficient);
}

/**
 * The "same" padding that efficientnet_pytorch fixes when a layer is built for a square image of `size` pixels.
 * It is kept whatever the size of the real input: it is what pretrained weights expect.
 */
export function staticPadding(size: number, kernel: number, stride: number): Padding {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  const before = Math.floor(total / 2);
  return { left: before, right: total - before, top: before, bottom: total - before };
}

export interface EfficientNetOptions {
  /** Prefix of the parameter names, with its final dot, such as `model.`. */
  prefix: string;
  coefficient: Coefficient;
  inChannels: number;
  /** Image size for the stem's padding where it differs from the network's own (speech: 128). */
  stemImageSize?: number;
}

/** One mobile inverted bottleneck (arXiv 1801.04381) with squeeze and excitation (arXiv 1709.01507). */
export interface MbConvOptions {
  /** Prefix of the parameter names, with its final dot, such as `model._blocks.0.`. */
  prefix: string;
  inChannels: number;
  outChannels: number;
  expand: number;
  kernel: number;
  stride: number;
  /** The image size at this block that its padding is fixed for. */
  size: number;
  momentum: number;
  dropConnect: number;
}

export function mbConv<K extends Kinds>(ops: Ops<K>, input: K['image'], options: MbConvOptions): K['image'] {
  const { prefix, inChannels, outChannels, kernel, stride, momentum } = options;
  const expanded = inChannels * options.expand;
  let x = input;
  if (options.expand > 1) {
    x = pointwise(ops, x, `${prefix}_expand_conv`, inChannels, expanded);
    x = ops.swish(batchNorm(ops, x, `${prefix}_bn0`, expanded, momentum));
  }
  x = ops.depthwiseConv2d(x, {
    name: `${prefix}_depthwise_conv`,
    inChannels: expanded,
    outChannels: expanded,
    kernel,
    stride,
    padding: staticPadding(options.size, kernel, stride),
    bias: false,
  });
  x = ops.swish(batchNorm(ops, x, `${prefix}_bn1`, expanded, momentum));
  // Squeezed to a quarter of the block's input channels, not of the expanded ones.
  const squeezed = Math.max(1, Math.floor(inChannels / 4));
  const pooled = ops.globalAveragePool(x);
  const reduced = ops.swish(pointwise(ops, pooled, `${prefix}_se_reduce`, expanded, squeezed, true));
  x = ops.scaleChannels(x, pointwise(ops, reduced, `${prefix}_se_expand`, squeezed, expanded, true));
  x = pointwise(ops, x, `${prefix}_project_conv`, expanded, outChannels);
  x = batchNorm(ops, x, `${prefix}_bn2`, outChannels, momentum);
  if (stride !== 1 || inChannels !== outChannels) return x;
  return ops.addImages(ops.dropConnect(x, options.dropConnect), input);
}

/** `extract_features` of efficientnet_pytorch 0.7: (batch, H, W, inChannels) -> (batch, H/32, W/32, features). */
export function efficientNet<K extends Kinds>(ops: Ops<K>, x: K['image'], options: EfficientNetOptions): K['image'] {
  const { prefix, coefficient } = options;
  const { depth, imageSize, momentum } = SCALING[coefficient];
  let channels = scaledChannels(32, coefficient);
  x = ops.conv2d(x, {
    name: `${prefix}_conv_stem`,
    inChannels: options.inChannels,
    outChannels: channels,
    kernel: 3,
    stride: 2,
    padding: staticPadding(options.stemImageSize ?? imageSize, 3, 2),
    bias: false,
  });
  x = ops.swish(batchNorm(ops, x, `${prefix}_bn0`, channels, momentum));

  const blocks = STAGES.flatMap((stage) =>
    Array.from({ length: Math.ceil(depth * stage.repeats) }, (_, repeat) => ({
      ...stage,
      stride: repeat === 0 ? stage.stride : 1,
    })),
  );
  let size = Math.ceil(imageSize / 2);
  for (const [index, { expand, kernel, stride, out }] of blocks.entries()) {
    const outChannels = scaledChannels(out, coefficient);
    const dropConnect = (DROP_CONNECT * index) / blocks.length;
    const block = { inChannels: channels, outChannels, expand, kernel, stride, size, momentum, dropConnect };
    x = mbConv(ops, x, { prefix: `${prefix}_blocks.${index}.`, ...block });
    channels = outChannels;
    size = Math.ceil(size / stride);
  }
  const features = efficientNetFeatures(coefficient);
  x = pointwise(ops, x, `${prefix}_conv_head`, channels, features);
  return ops.swish(batchNorm(ops, x, `${prefix}_bn1`, features, momentum));
}

function pointwise<K extends Kinds>(
  ops: Ops<K>,
  x: K['image'],
  name: string,
  inChannels: number,
  outChannels: number,
  bias = false,
): K['image'] {
  return ops.conv2d(x, { name, inChannels, outChannels, kernel: 1, stride: 1, padding: NO_PADDING, bias });
}

function batchNorm<K extends Kinds>(
  ops: Ops<K>,
  x: K['image'],
  name: string,
  features: number,
  momentum: number,
): K['image'] {
  return ops.batchNorm(x, { name, features, epsilon: EPSILON, momentum });
}
