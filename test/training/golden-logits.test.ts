import { beforeAll, describe, expect, test } from 'vitest';
import { BRANCH_PREFIX } from '../../models/multimodal.js';
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
  referenceLogits,
} from '../helpers/golden-inputs.js';
import { formulaState } from '../helpers/golden-weights.js';
import { largestDifference } from '../helpers/onnx-files.js';

// PyTorch's float32 logits, of size 0.01 to 1.5: what may differ is the order of float32 sums.
const TOLERANCE = 2e-5;

const spec = GOLDEN_SPEC;

let reference: Awaited<ReturnType<typeof referenceLogits>>;
beforeAll(async () => {
  reference = await referenceLogits();
});

function sentence(data: Float32Array): ModelInputs {
  return { speech: null, face: null, text: { data, length: GOLDEN_WORDS } };
}

describe('TensorFlow gives the logits of the PyTorch reference in compat seed', () => {
  test('text: across a batch of four, and each sentence alone', async () => {
    const text: ModelSpec = { ...spec, mode: 'text' };
    const predictor = await createPredictor(text, formulaState(networkParameters(text)), 'test');
    const inputs = goldenSentences().map(sentence);
    const together = predictor.predict(collate(inputs, text));
    expect(largestDifference(together.logits.data, reference.text12L8H.batch4.flat())).toBeLessThan(TOLERANCE);
    for (const [index, input] of inputs.entries()) {
      const alone = predictor.predict(collate([input], text));
      expect(largestDifference(alone.logits.data, reference.text12L8H.eachAlone[index]!)).toBeLessThan(TOLERANCE);
    }
    predictor.dispose();
  });

  test('multimodal: the fused logits and those of speech b4, face b0 and text', async () => {
    const parameters = networkParameters(spec);
    const state = formulaState(parameters);
    // Each branch has the weights of its own names, without the prefix that it has within the whole.
    for (const prefix of Object.values(BRANCH_PREFIX)) {
      for (const [name, value] of formulaState(parameters, prefix)) state.set(name, value);
    }
    await putGoldenStatistics(state, 'attncnn_b4', BRANCH_PREFIX.speech);
    await putGoldenStatistics(state, 'clstm_b0', BRANCH_PREFIX.face);
    const predictor = await createPredictor(spec, state, 'test');
    const inputs: ModelInputs = {
      speech: { data: await goldenSpeech(), length: 400 },
      face: { data: await goldenFrames(), length: 4 },
      text: { data: goldenSentences()[0]!, length: GOLDEN_WORDS },
    };
    const { logits, branches } = predictor.predict(collate([inputs], spec));
    predictor.dispose();
    expect(largestDifference(logits.data, reference.multimodal.fused)).toBeLessThan(TOLERANCE);
    for (const [branch, expected] of [
      [branches.speech, reference['AttnCNN-B4'].logits],
      [branches.face, reference['CLSTM-B0'].logits],
      [branches.text, reference.text12L8H.eachAlone[0]!],
    ] as const) {
      expect(largestDifference(branch!.logits.data, expected)).toBeLessThan(TOLERANCE);
    }
  });
});
