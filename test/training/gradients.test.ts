import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../common/random.js';
import { readSafetensors, type StateDict } from '../../common/safetensors.js';
import { attentionBiLstm } from '../../models/attention-bilstm.js';
import { mbConv } from '../../models/efficientnet.js';
import { encoderLayer } from '../../models/text.js';
import { softCrossEntropy } from '../../training/tensorflow/loss.js';
import { Native, type Tensor } from '../../training/tensorflow/native.js';
import { multiply, reshape, sumAxis } from '../../training/tensorflow/primitives.js';
import { Tape } from '../../training/tensorflow/tape.js';
import { type TensorFlowKinds, TensorFlowOps } from '../../training/tensorflow/tensorflow-ops.js';
import { formulaValues } from '../helpers/golden-weights.js';

// The goldens are PyTorch's float32 results: what remains is the order of float32 sums.
const RELATIVE_TOLERANCE = 1e-4;

const golden = path.join(import.meta.dirname, '../golden');
let native: Native;
beforeAll(async () => {
  native = await Native.load();
});

/** Parameters by name, watched by a tape. */
class Parameters {
  readonly tensors = new Map<string, Tensor>();
  get(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`no parameter ${name}`);
    return tensor;
  }
  replace(): void {
    throw new Error('no running statistics change in evaluation mode');
  }
}

const evaluation = { training: false, frozen: () => false, seed: () => 0 };

function floats(state: StateDict, name: string): { shape: number[]; data: Float32Array } {
  const tensor = state.get(name);
  if (tensor?.dtype !== 'F32') throw new Error(`no golden ${name}`);
  return { shape: tensor.shape, data: Float32Array.from(tensor.data) };
}

function load({ shape, data }: { shape: number[]; data: Float32Array }, axes?: number[]): Tensor {
  const tensor = native.floats(shape, data);
  return axes ? native.run('Transpose', [tensor, native.list(axes)]) : tensor;
}

function read(tensor: Tensor, axes?: number[]): Float32Array {
  return native.read(axes ? native.run('Transpose', [tensor, native.list(axes)]) : tensor);
}

/** Largest difference relative to the largest expected magnitude. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return actual.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0) / largest;
}

/** The goldens' incoming gradient: 2u - 1 from mulberry32, row-major in PyTorch's layout. */
function cotangent(seed: number, shape: number[]): { shape: number[]; data: Float32Array } {
  const random = new Random(seed);
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: count }, () => 2 * random.uniform() - 1) };
}

function backwardFrom(tape: Tape, output: Tensor, gradient: Tensor): void {
  const count = output.shape.reduce((a, b) => a * b, 1);
  const flat = reshape(tape, multiply(tape, output, gradient), [1, count]);
  tape.backward(reshape(tape, sumAxis(tape, flat, 1), []));
}

describe('gradients equal those of PyTorch', () => {
  test('attention BiLSTM: loss, logits and every gradient', async () => {
    const { tensors } = await readSafetensors(path.join(golden, 'attn_bilstm_small.safetensors'));
    const tape = new Tape(native);
    const parameters = new Parameters();
    for (const name of tensors.keys()) {
      if (name.startsWith('w.')) parameters.tensors.set(name.slice(2), load(floats(tensors, name)));
    }
    const x = load(floats(tensors, 'x'));
    for (const tensor of [x, ...parameters.tensors.values()]) tape.watch(tensor);
    const output = attentionBiLstm<TensorFlowKinds>(
      new TensorFlowOps(tape, parameters, evaluation),
      { tensor: x, lengths: native.ints([2], Int32Array.of(9, 9)) },
      { prefix: '', inFeatures: 24, hidden: 16, fan: 'self' },
    );
    expect(relativeError(read(output.logits), floats(tensors, 'logits').data)).toBeLessThan(RELATIVE_TOLERANCE);
    const loss = softCrossEntropy(
      tape,
      output.logits,
      load(floats(tensors, 'target')),
      native.floats([2], Float32Array.of(0.5, 0.5)),
    );
    expect(relativeError(read(loss), floats(tensors, 'loss').data)).toBeLessThan(RELATIVE_TOLERANCE);
    tape.backward(loss);
    for (const [name, tensor] of [...parameters.tensors, ['x', x] as const]) {
      const expected = floats(tensors, name === 'x' ? 'gx' : `g.${name}`).data;
      expect(relativeError(read(tape.takeGradient(tensor)!), expected), name).toBeLessThan(RELATIVE_TOLERANCE);
    }
  });

  test('MBConv block of b4 with static padding: output and every gradient', async () => {
    const { tensors } = await readSafetensors(path.join(golden, 'mbconv_b4_block6.safetensors'));
    const filterAxes = (name: string) => (name.includes('depthwise') ? [2, 3, 0, 1] : [2, 3, 1, 0]);
    const backAxes = (name: string) => (name.includes('depthwise') ? [2, 3, 0, 1] : [3, 2, 0, 1]);
    const tape = new Tape(native);
    const parameters = new Parameters();
    for (const [name, { shape }] of tensors) {
      if (!name.startsWith('w.')) continue;
      const axes = shape.length === 4 ? filterAxes(name) : undefined;
      parameters.tensors.set(name.slice(2), load(floats(tensors, name), axes));
    }
    const x = load(floats(tensors, 'x'), [0, 2, 3, 1]);
    for (const tensor of [x, ...parameters.tensors.values()]) tape.watch(tensor);
    const y = mbConv<TensorFlowKinds>(new TensorFlowOps(tape, parameters, evaluation), x, {
      prefix: '',
      inChannels: 32,
      outChannels: 56,
      expand: 6,
      kernel: 5,
      stride: 2,
      size: 95,
      momentum: 0.01,
      dropConnect: 0,
    });
    expect(relativeError(read(y, [0, 3, 1, 2]), floats(tensors, 'y').data)).toBeLessThan(RELATIVE_TOLERANCE);
    backwardFrom(tape, y, load(cotangent(7, floats(tensors, 'y').shape), [0, 2, 3, 1]));
    expect(relativeError(read(tape.takeGradient(x)!, [0, 3, 1, 2]), floats(tensors, 'gx').data)).toBeLessThan(
      RELATIVE_TOLERANCE,
    );
    for (const [name, tensor] of parameters.tensors) {
      if (name.includes('running')) continue;
      const axes = tensor.shape.length === 4 ? backAxes(name) : undefined;
      const gradient = read(tape.takeGradient(tensor)!, axes);
      expect(relativeError(gradient, floats(tensors, `g.${name}`).data), name).toBeLessThan(RELATIVE_TOLERANCE);
    }
  });

  test('Transformer encoder layer: output and the listed gradients', async () => {
    const { tensors } = await readSafetensors(path.join(golden, 'transformer_layer.safetensors'));
    const shapes: Record<string, number[]> = {
      'self_attn.in_proj_weight': [600, 200],
      'self_attn.in_proj_bias': [600],
      'self_attn.out_proj.weight': [200, 200],
      'self_attn.out_proj.bias': [200],
      'linear1.weight': [2048, 200],
      'linear1.bias': [2048],
      'linear2.weight': [200, 2048],
      'linear2.bias': [200],
      'norm1.weight': [200],
      'norm1.bias': [200],
      'norm2.weight': [200],
      'norm2.bias': [200],
    };
    const tape = new Tape(native);
    const parameters = new Parameters();
    for (const [name, shape] of Object.entries(shapes)) {
      parameters.tensors.set(name, load({ shape, data: formulaValues(`tl.${name}`, shape) }));
    }
    // The golden's first axis is the one that PyTorch's encoder attends over.
    const x = load(floats(tensors, 'x'), [1, 0, 2]);
    for (const tensor of [x, ...parameters.tensors.values()]) tape.watch(tensor);
    const ops = new TensorFlowOps(tape, parameters, evaluation);
    const sequence = { tensor: x, lengths: native.ints([6], new Int32Array(6).fill(4)) };
    const y = encoderLayer<TensorFlowKinds>(ops, sequence, '', 8).tensor;
    expect(relativeError(read(y, [1, 0, 2]), floats(tensors, 'y').data)).toBeLessThan(RELATIVE_TOLERANCE);
    backwardFrom(tape, y, load(cotangent(9, floats(tensors, 'y').shape), [1, 0, 2]));
    expect(relativeError(read(tape.takeGradient(x)!, [1, 0, 2]), floats(tensors, 'gx').data)).toBeLessThan(
      RELATIVE_TOLERANCE,
    );
    for (const name of ['linear1.bias', 'norm1.weight', 'self_attn.in_proj_bias']) {
      const gradient = read(tape.takeGradient(parameters.get(name))!);
      expect(relativeError(gradient, floats(tensors, `g.${name}`).data), name).toBeLessThan(RELATIVE_TOLERANCE);
    }
  });
});
