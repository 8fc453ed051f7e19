import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { efficientNet } from '../../models/efficientnet.js';
import type { ConvOptions, Kinds, Ops, Padding } from '../../models/ops.js';
import type { Coefficient } from '../../models/spec.js';

const conv = z.tuple([z.string(), z.array(z.number()), z.array(z.number()), z.array(z.number())]);
const goldenSchema = z.record(z.string(), z.array(conv));
const golden = await readJson(path.join(import.meta.dirname, '../golden/static_padding_lrtb.json'), goldenSchema);

interface Nothing extends Kinds {
  image: null;
}

/** What an EfficientNet asks of its convolutions that are larger than 1 x 1. */
function paddedConvolutions(coefficient: Coefficient, inChannels: number, stemImageSize?: number): ConvOptions[] {
  const found: ConvOptions[] = [];
  const note = (_x: null, options: ConvOptions) => {
    if (options.kernel > 1) found.push(options);
    return null;
  };
  const pass = () => null;
  const ops: Pick<
    Ops<Nothing>,
    | 'conv2d'
    | 'depthwiseConv2d'
    | 'batchNorm'
    | 'swish'
    | 'globalAveragePool'
    | 'scaleChannels'
    | 'addImages'
    | 'dropConnect'
  > = {
    conv2d: note,
    depthwiseConv2d: note,
    batchNorm: pass,
    swish: pass,
    globalAveragePool: pass,
    scaleChannels: pass,
    addImages: pass,
    dropConnect: pass,
  };
  const options = { prefix: '', coefficient, inChannels, ...(stemImageSize === undefined ? {} : { stemImageSize }) };
  efficientNet(ops as Ops<Nothing>, null, options);
  return found;
}

const sides = ({ left, right, top, bottom }: Padding) => [left, right, top, bottom];

describe('static padding is that of efficientnet_pytorch, layer by layer', () => {
  test.each([
    ['B0_face', '0', 3, undefined],
    ['B1_face', '1', 3, undefined],
    ['B0_speech', '0', 1, 128],
    ['B4', '4', 1, 128],
    ['B7', '7', 1, 128],
  ] as const)('%s', (name, coefficient, inChannels, stemImageSize) => {
    const ours = paddedConvolutions(coefficient, inChannels, stemImageSize).map(({ name, kernel, stride, padding }) => [
      name,
      [kernel, kernel],
      [stride, stride],
      sides(padding),
    ]);
    expect(ours).toEqual(golden[name]);
  });
});
