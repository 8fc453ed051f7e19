import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import type { StateDict } from '../../common/safetensors.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import { collate, type ModelInputs } from '../../preprocessing/model-inputs.js';
import { createPredictor } from '../../training/tensorflow/predictor.js';
import {
  GOLDEN_SPEC,
  GOLDEN_WORDS,
  goldenFrames,
  goldenSentences,
  goldenSpeech,
  putGoldenStatistics,
} from '../helpers/golden-inputs.js';
import { formulaState } from '../helpers/golden-weights.js';
import { largestDifference } from '../helpers/onnx-files.js';

// PyTorch's float32 logits (benchmarks/reference/check-weights.ts): what may differ is the order of float32 sums.
const TOLERANCE = 2e-5;

const spec: ModelSpec = {
  ...GOLDEN_SPEC,
  mode: 'speech',
  speechCoefficient: '0',
  textLayers: 3,
  textHeads: 4,
  fan: 'relation',
};

const rows = z.array(z.array(z.number()).length(7));
const variantsSchema = z.object({
  'AttnCNN-B0 relation': rows,
  'CLSTM-B0 relation': rows,
  'text3L4H batch4': rows,
  'text3L4H alone': rows,
});
let golden: z.infer<typeof variantsSchema>;
beforeAll(async () => {
  golden = await readJson(path.join(import.meta.dirname, '../golden/reference-variants.json'), variantsSchema);
});

async function logits(network: ModelSpec, state: StateDict, ...batches: ModelInputs[][]): Promise<number[]> {
  const predictor = await createPredictor(network, state, 'test');
  const values = batches.flatMap((batch) => [...predictor.predict(collate(batch, network)).logits.data]);
  predictor.dispose();
  return values;
}

test('speech with frame attention in mode relation gives the logits of PyTorch', async () => {
  const state = formulaState(networkParameters(spec));
  await putGoldenStatistics(state, 'attncnn_b0');
  const input = { speech: { data: await goldenSpeech(), length: 400 }, face: null, text: null };
  const found = await logits(spec, state, [input]);
  expect(largestDifference(found, golden['AttnCNN-B0 relation'].flat())).toBeLessThan(TOLERANCE);
});

test('face with frame attention in mode relation gives the logits of PyTorch', async () => {
  const network: ModelSpec = { ...spec, mode: 'face' };
  const state = formulaState(networkParameters(network));
  await putGoldenStatistics(state, 'clstm_b0');
  const input = { speech: null, face: { data: await goldenFrames(), length: 4 }, text: null };
  const found = await logits(network, state, [input]);
  expect(largestDifference(found, golden['CLSTM-B0 relation'].flat())).toBeLessThan(TOLERANCE);
});

test('text of 3 layers and 4 heads gives the logits of PyTorch, across a batch of four and alone', async () => {
  const network: ModelSpec = { ...spec, mode: 'text' };
  const inputs = goldenSentences().map((data) => ({ speech: null, face: null, text: { data, length: GOLDEN_WORDS } }));
  const state = formulaState(networkParameters(network));
  const together = await logits(network, state, inputs);
  expect(largestDifference(together, golden['text3L4H batch4'].flat())).toBeLessThan(TOLERANCE);
  const alone = await logits(network, state, ...inputs.map((input) => [input]));
  expect(largestDifference(alone, golden['text3L4H alone'].flat())).toBeLessThan(TOLERANCE);
});
