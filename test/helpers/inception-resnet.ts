import type { StateDict } from '../../common/safetensors.js';
import { formulaValues } from './golden-weights.js';

type Shapes = [name: string, shape: number[]][];

/** Parameters of facenet-pytorch's InceptionResnetV1 with the values of golden-weights.ts: 23 million numbers. */
export function inceptionResnetState(): StateDict {
  const state: StateDict = new Map();
  for (const [name, shape] of parameters()) state.set(name, { dtype: 'F32', shape, data: formulaValues(name, shape) });
  return state;
}

function parameters(): Shapes {
  return [
    ...basic('conv2d_1a', 3, 32, 3),
    ...basic('conv2d_2a', 32, 32, 3),
    ...basic('conv2d_2b', 32, 64, 3),
    ...basic('conv2d_3b', 64, 80),
    ...basic('conv2d_4a', 80, 192, 3),
    ...basic('conv2d_4b', 192, 256, 3),
    ...repeat(5, 'repeat_1', block35),
    ...basic('mixed_6a.branch0', 256, 384, 3),
    ...basic('mixed_6a.branch1.0', 256, 192),
    ...basic('mixed_6a.branch1.1', 192, 192, 3),
    ...basic('mixed_6a.branch1.2', 192, 256, 3),
    ...repeat(10, 'repeat_2', (name) => lineBlock(name, 896, 128, 7)),
    ...basic('mixed_7a.branch0.0', 896, 256),
    ...basic('mixed_7a.branch0.1', 256, 384, 3),
    ...basic('mixed_7a.branch1.0', 896, 256),
    ...basic('mixed_7a.branch1.1', 256, 256, 3),
    ...basic('mixed_7a.branch2.0', 896, 256),
    ...basic('mixed_7a.branch2.1', 256, 256, 3),
    ...basic('mixed_7a.branch2.2', 256, 256, 3),
    ...repeat(5, 'repeat_3', (name) => lineBlock(name, 1792, 192, 3)),
    ...lineBlock('block8', 1792, 192, 3),
    ['last_linear.weight', [512, 1792]],
    ...batchNorm('last_bn', 512),
  ];
}

const repeat = (count: number, name: string, block: (name: string) => Shapes): Shapes =>
  Array.from({ length: count }, (_, index) => block(`${name}.${index}`)).flat();

function batchNorm(name: string, channels: number): Shapes {
  return ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]]);
}

function basic(name: string, from: number, to: number, height = 1, width = height): Shapes {
  return [[`${name}.conv.weight`, [to, from, height, width]], ...batchNorm(`${name}.bn`, to)];
}

function up(name: string, from: number, to: number): Shapes {
  return [
    [`${name}.conv2d.weight`, [to, from, 1, 1]],
    [`${name}.conv2d.bias`, [to]],
  ];
}

function block35(name: string): Shapes {
  return [
    ...basic(`${name}.branch0`, 256, 32),
    ...basic(`${name}.branch1.0`, 256, 32),
    ...basic(`${name}.branch1.1`, 32, 32, 3),
    ...basic(`${name}.branch2.0`, 256, 32),
    ...basic(`${name}.branch2.1`, 32, 32, 3),
    ...basic(`${name}.branch2.2`, 32, 32, 3),
    ...up(name, 96, 256),
  ];
}

/** Block17 and Block8: a 1 x 1 branch beside one of 1 x n and n x 1. */
function lineBlock(name: string, channels: number, inner: number, length: number): Shapes {
  return [
    ...basic(`${name}.branch0`, channels, inner),
    ...basic(`${name}.branch1.0`, channels, inner),
    ...basic(`${name}.branch1.1`, inner, inner, 1, length),
    ...basic(`${name}.branch1.2`, inner, inner, length, 1),
    ...up(name, 2 * inner, channels),
  ];
}
