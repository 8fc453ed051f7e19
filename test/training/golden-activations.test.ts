import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { Random } from '../../common/random.js';
import type { StateDict } from '../../common/safetensors.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import { collate, type ModelInputs } from '../../preprocessing/model-inputs.js';
import { forward } from '../../training/tensorflow/forward.js';
import { Native, type Tensor } from '../../training/tensorflow/native.js';
import { Tape } from '../../training/tensorflow/tape.js';
import { TensorFlowOps } from '../../training/tensorflow/tensorflow-ops.js';
import { NetworkVariables } from '../../training/tensorflow/variables.js';
import {
  GOLDEN_SPEC,
  GOLDEN_WORD_DIM,
  GOLDEN_WORDS,
  goldenFrames,
  goldenSentences,
  goldenSpeech,
  putGoldenStatistics,
} from '../helpers/golden-inputs.js';
import { formulaState } from '../helpers/golden-weights.js';
import { largestDifference } from '../helpers/onnx-files.js';

// PyTorch's float32 values: what may differ is the order of float32 sums. Values of more than 1 (noise makes some of
// 20) are compared relative to the largest of their tensor.
const TOLERANCE = 2e-5;
// Of noise PyTorch's own float32 feature is 2e-5 off from its float64.
const NOISE_TOLERANCE = 5e-5;

const numbers = z.array(z.number());
const statistics = z.object({
  shape: numbers,
  mean: z.number(),
  std: z.number(),
  absmax: z.number(),
  first8: numbers,
  last4: numbers,
});
type Statistics = z.infer<typeof statistics>;

const speech = z.object({
  logits: z.array(numbers),
  features: statistics,
  seq: statistics,
  lstm: statistics,
  att_scores: numbers,
  feature: numbers,
  acts: z.record(z.string(), statistics),
});
const goldenSchema = z.object({
  'AttnCNN-B0': z.object({ clip: speech, formula: speech }),
  'AttnCNN-B4': z.object({ clip: speech, formula: speech }),
  'CLSTM-B0': z.object({ logits: z.array(numbers), backbone: statistics, lstm: statistics, feature: numbers }),
  text12L8H: z.object({ layer0: statistics, feature: statistics, feature0: numbers }),
});

const spec: ModelSpec = { ...GOLDEN_SPEC, mode: 'speech', speechCoefficient: '0' };

/** A value in PyTorch's layout: images channels first. */
interface Value {
  shape: readonly number[];
  data: Float32Array;
}

interface Run {
  logits: Float32Array;
  feature: Float32Array;
  attention: Float32Array;
  /** What each operation gave, by its kind and the parameter name that it was called with; the last call counts. */
  values: Map<string, Value>;
}

/** The operations whose results the reference listed. */
const NAMED = new Set([
  'batchNorm',
  'swish',
  'addImages',
  'meanOverHeight',
  'flatten',
  'bidirectionalLstm',
  'addAndNorm',
]);

async function run(network: ModelSpec, state: StateDict, inputs: ModelInputs[]): Promise<Run> {
  const native = await Native.load();
  const variables = new NetworkVariables(native, networkParameters(network), state);
  const tape = new Tape(native);
  const values = new Map<string, Value>();
  const read = (tensor: Tensor, image: boolean): Value => {
    if (!image) return { shape: tensor.shape, data: native.read(tensor) };
    const channelsFirst = native.run('Transpose', [tensor, native.list([0, 3, 1, 2])]);
    const value = { shape: channelsFirst.shape, data: native.read(channelsFirst) };
    native.free(channelsFirst);
    return value;
  };
  let lastName = '';
  const ops = new TensorFlowOps(tape, variables, { training: false, frozen: () => true, seed: () => 0 });
  const watched = new Proxy(ops, {
    get(target, property) {
      const method: unknown = Reflect.get(target, property, target);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(method, target, args);
        if (!NAMED.has(String(property))) return result;
        const named = args.map((argument) => z.object({ name: z.string() }).safeParse(argument));
        lastName = named.find(({ success }) => success)?.data?.name ?? lastName;
        const tensor = isSequence(result) ? result.tensor : (result as Tensor);
        values.set(`${String(property)} ${lastName}`, read(tensor, tensor.shape.length === 4));
        return result;
      };
    },
  });
  const output = forward(tape, watched, network, collate(inputs, network));
  const { feature, attention } = output.branches[network.mode as 'speech' | 'face' | 'text']!;
  const result = {
    logits: native.read(output.logits),
    feature: native.read(feature),
    attention: native.read(attention),
    values,
  };
  tape.clear();
  variables.dispose();
  return result;
}

/** A spectrogram of noise, as the reference's second input. */
function formulaSpeech(): Float32Array {
  const random = new Random(1);
  return Float32Array.from({ length: 128 * 400 }, () => random.uniform());
}

function isSequence(value: unknown): value is { tensor: Tensor } {
  return typeof value === 'object' && value !== null && 'tensor' in value;
}

function expectStatistics(name: string, value: Value | undefined, expected: Statistics): void {
  const { data, shape } = value!;
  expect(shape, name).toEqual(expected.shape);
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  // As torch.Tensor.std: over one number less than there are.
  const std = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (data.length - 1));
  const absmax = data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const actual = [mean, std, absmax, ...data.subarray(0, 8), ...data.subarray(-4)];
  const wanted = [expected.mean, expected.std, expected.absmax, ...expected.first8, ...expected.last4];
  expect(largestDifference(actual, wanted), name).toBeLessThan(TOLERANCE * Math.max(1, expected.absmax));
}

let golden: z.infer<typeof goldenSchema>;
beforeAll(async () => {
  golden = await readJson(path.join(import.meta.dirname, '../golden/reference-activations.json'), goldenSchema);
});

describe('TensorFlow gives the intermediate values of the PyTorch reference', () => {
  const networks = [
    ['AttnCNN-B0', '0', 'attncnn_b0'],
    ['AttnCNN-B4', '4', 'attncnn_b4'],
  ] as const;
  const inputs = ['clip', 'formula'] as const;
  test.each(networks.flatMap((network) => inputs.map((input) => [...network, input] as const)))(
    '%s (b%s, %s), input of the %s: stem, blocks, features, LSTM, attention, feature, logits',
    async (...of) => {
      const [name, coefficient, stored, input] = of;
      const network: ModelSpec = { ...spec, speechCoefficient: coefficient };
      const state = formulaState(networkParameters(network));
      await putGoldenStatistics(state, stored);
      const data = input === 'clip' ? await goldenSpeech() : formulaSpeech();
      const speech = { data, length: 400 };
      const { values, feature, attention, logits } = await run(network, state, [{ speech, face: null, text: null }]);
      const expected = golden[name][input];
      for (const [block, wanted] of Object.entries(expected.acts)) {
        const last = `model._blocks.${block.slice('block'.length)}._bn2`;
        // A block without a shortcut ends with its batch norm.
        const value = values.get(`addImages ${last}`) ?? values.get(`batchNorm ${last}`);
        expectStatistics(block, block === 'bn0' ? values.get('batchNorm model._bn0') : value, wanted);
      }
      expectStatistics('features', values.get('swish model._bn1'), expected.features);
      expectStatistics('seq', values.get('meanOverHeight model._bn1'), expected.seq);
      expectStatistics('lstm', values.get('bidirectionalLstm out.encoder'), expected.lstm);
      expect(largestDifference(attention, expected.att_scores)).toBeLessThan(TOLERANCE);
      expect(largestDifference(feature, expected.feature)).toBeLessThan(input === 'clip' ? TOLERANCE : NOISE_TOLERANCE);
      expect(largestDifference(logits, expected.logits.flat())).toBeLessThan(TOLERANCE);
    },
  );

  test('CLSTM-B0: pooled features of each frame, LSTM, feature, logits', async () => {
    const network: ModelSpec = { ...spec, mode: 'face' };
    const state = formulaState(networkParameters(network));
    await putGoldenStatistics(state, 'clstm_b0');
    const input = { speech: null, face: { data: await goldenFrames(), length: 4 }, text: null };
    const { values, feature, logits } = await run(network, state, [input]);
    const expected = golden['CLSTM-B0'];
    expectStatistics('backbone', values.get('flatten backbone_model._bn1'), expected.backbone);
    expectStatistics('lstm', values.get('bidirectionalLstm out.encoder'), expected.lstm);
    expect(largestDifference(feature, expected.feature)).toBeLessThan(TOLERANCE);
    expect(largestDifference(logits, expected.logits.flat())).toBeLessThan(TOLERANCE);
  });

  test('text: the first layer, and the features of a batch of four', async () => {
    const network: ModelSpec = { ...spec, mode: 'text' };
    const inputs = goldenSentences().map((data) => ({
      speech: null,
      face: null,
      text: { data, length: GOLDEN_WORDS },
    }));
    const { values, feature } = await run(network, formulaState(networkParameters(network)), inputs);
    const first = values.get('addAndNorm transformer_encoder.layers.0.norm2')!;
    // Sequence first within the encoder: (38, 4, 200), which the golden has as (4, 38, 200).
    expectStatistics('layer0', batchFirst(first), golden.text12L8H.layer0);
    expectStatistics('feature', { shape: [4, GOLDEN_WORD_DIM], data: feature }, golden.text12L8H.feature);
    expect(largestDifference(feature.subarray(0, GOLDEN_WORD_DIM), golden.text12L8H.feature0)).toBeLessThan(TOLERANCE);
  });
});

/** (time, batch, features) -> (batch, time, features). */
function batchFirst({ shape, data }: Value): Value {
  const [time, batch, features] = shape as [number, number, number];
  const exchanged = new Float32Array(data.length);
  for (let t = 0; t < time; t++) {
    for (let b = 0; b < batch; b++) {
      const from = (t * batch + b) * features;
      exchanged.set(data.subarray(from, from + features), (b * time + t) * features);
    }
  }
  return { shape: [batch, time, features], data: exchanged };
}
