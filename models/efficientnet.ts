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

/** `extract_features` of efficientnet_pytorch 0.7: (batch, H, W, inChannels) -> (batch, H/32, W/32, features). */
export function efficientNet<K extends Kinds>(ops: Ops<K>, x: K['image'], options: EfficientNetOptions): K['image'] {
  const { prefix, coefficient } = options;
  const { depth, imageSize, momentum } = SCALING[coefficient];
  const batchNorm = (value: K['image'], name: string, features: number) =>
    ops.batchNorm(value, { name: prefix + name, features, epsilon: EPSILON, momentum });
  const pointwise = (value: K['image'], name: string, inChannels: number, outChannels: number, bias = false) =>
    ops.conv2d(value, {
      name: prefix + name,
      inChannels,
      outChannels,
      kernel: 1,
      stride: 1,
      padding: NO_PADDING,
      bias,
    });

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
  x = ops.swish(batchNorm(x, '_bn0', channels));

  const blocks = STAGES.flatMap((stage) =>
    Array.from({ length: Math.ceil(depth * stage.repeats) }, (_, repeat) => ({
      ...stage,
      stride: repeat === 0 ? stage.stride : 1,
      out: scaledChannels(stage.out, coefficient),
    })),
  );
  let size = Math.ceil(imageSize / 2);
  for (const [index, block] of blocks.entries()) {
    const name = `_blocks.${index}.`;
    const input = x;
    const expanded = channels * block.expand;
    if (block.expand > 1) {
      x = ops.swish(batchNorm(pointwise(x, `${name}_expand_conv`, channels, expanded), `${name}_bn0`, expanded));
    }
    x = ops.depthwiseConv2d(x, {
      name: `${prefix}${name}_depthwise_conv`,
      inChannels: expanded,
      outChannels: expanded,
      kernel: block.kernel,
      stride: block.stride,
      padding: staticPadding(size, block.kernel, block.stride),
      bias: false,
    });
    x = ops.swish(batchNorm(x, `${name}_bn1`, expanded));
    // Squeeze and excitation (arXiv 1709.01507), reduced to a quarter of the block's input channels.
    const squeezed = Math.max(1, Math.floor(channels / 4));
    const reduced = ops.swish(pointwise(ops.globalAveragePool(x), `${name}_se_reduce`, expanded, squeezed, true));
    x = ops.scaleChannels(x, pointwise(reduced, `${name}_se_expand`, squeezed, expanded, true));
    x = batchNorm(pointwise(x, `${name}_project_conv`, expanded, block.out), `${name}_bn2`, block.out);
    if (block.stride === 1 && channels === block.out) {
      x = ops.addImages(ops.dropConnect(x, (DROP_CONNECT * index) / blocks.length), input);
    }
    channels = block.out;
    size = Math.ceil(size / block.stride);
  }
  const features = efficientNetFeatures(coefficient);
  return ops.swish(batchNorm(pointwise(x, '_conv_head', channels, features), '_bn1', features));
}
