import type { InferenceSession } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Modality } from '../../common/labels.js';
import type { StateDict } from '../../common/safetensors.js';
import { branchGraph, fusionGraph } from '../../export/network-graphs.js';
import { branchFeatures } from '../../models/multimodal.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import {
  GOLDEN_SPEC,
  GOLDEN_WORD_DIM,
  GOLDEN_WORDS,
  goldenFrames,
  goldenSentences,
  goldenSpeech,
  putGoldenStatistics,
  referenceLogits,
} from '../helpers/golden-inputs.js';
import { formulaState, formulaValues } from '../helpers/golden-weights.js';
import { largestDifference, openGraphs, runSession, tensor } from '../helpers/onnx-files.js';

// PyTorch's float32 logits, of size 0.01 to 1.5: what may differ is the order of float32 sums. A wrong padding of one
// layer moves them by 1e-2.
const TOLERANCE = 5e-5;

/** The networks of the reference; its text attends across the batch. */
const spec = GOLDEN_SPEC;

let reference: Awaited<ReturnType<typeof referenceLogits>>;
let sessions: Record<'speechB0' | 'speechB4' | 'faceB0' | 'text' | 'fusion', InferenceSession>;

/** The formula's weights under the reference's own names, with its stored batch-norm statistics. */
async function goldenState(
  mode: Modality,
  overrides: Partial<ModelSpec>,
  statistics?: Parameters<typeof putGoldenStatistics>[1],
): Promise<StateDict> {
  const state = formulaState(networkParameters({ ...spec, ...overrides, mode }));
  if (statistics !== undefined) await putGoldenStatistics(state, statistics);
  return state;
}

beforeAll(async () => {
  reference = await referenceLogits();
  const b0 = { speechCoefficient: '0' } as const;
  const fused = Object.values(branchFeatures(spec)).reduce((sum, size) => sum + size, 0);
  const head: StateDict = new Map();
  for (const [name, shape] of [
    ['multimodal_out.weight', [7, fused]],
    ['multimodal_out.bias', [7]],
  ] as const) {
    head.set(name, { dtype: 'F32', shape: [...shape], data: formulaValues(name, shape) });
  }
  sessions = await openGraphs({
    speechB0: branchGraph('speech', { ...spec, ...b0 }, await goldenState('speech', b0, 'attncnn_b0'), ''),
    speechB4: branchGraph('speech', spec, await goldenState('speech', {}, 'attncnn_b4'), ''),
    faceB0: branchGraph('face', spec, await goldenState('face', {}, 'clstm_b0'), ''),
    text: branchGraph('text', spec, await goldenState('text', {}), ''),
    fusion: fusionGraph(spec, head),
  });
});

async function speech(session: InferenceSession) {
  return runSession(session, {
    log_mel: tensor(await goldenSpeech(), [1, 1, 128, 400]),
    lengths: tensor(Int32Array.of(400), [1]),
  });
}

async function face() {
  return runSession(sessions.faceB0, {
    frames: tensor(await goldenFrames(), [1, 4, 224, 224, 3]),
    lengths: tensor(Int32Array.of(4), [1]),
    gain: tensor(Float32Array.of(1), [1]),
  });
}

function text(sentences: Float32Array[]) {
  const words = Float32Array.from(sentences.flatMap((rows) => [...rows]));
  return runSession(sessions.text, {
    words: tensor(words, [sentences.length, GOLDEN_WORDS, GOLDEN_WORD_DIM]),
    lengths: tensor(new Int32Array(sentences.length).fill(GOLDEN_WORDS), [sentences.length]),
  });
}

describe('the exported networks give the logits of the PyTorch reference', () => {
  test('speech, EfficientNet-b0', async () => {
    const { logits } = await speech(sessions.speechB0);
    expect(largestDifference(logits!, reference['AttnCNN-B0'].logits)).toBeLessThan(TOLERANCE);
  });

  test('speech, EfficientNet-b4', async () => {
    const { logits } = await speech(sessions.speechB4);
    expect(largestDifference(logits!, reference['AttnCNN-B4'].logits)).toBeLessThan(TOLERANCE);
  });

  test('face, EfficientNet-b0', async () => {
    const { logits } = await face();
    expect(largestDifference(logits!, reference['CLSTM-B0'].logits)).toBeLessThan(TOLERANCE);
  });

  test('text, each sentence alone', async () => {
    for (const [index, sentence] of goldenSentences().entries()) {
      const { logits } = await text([sentence]);
      expect(largestDifference(logits!, reference.text12L8H.eachAlone[index]!)).toBeLessThan(TOLERANCE);
    }
  });

  test('text, attention across a batch of four', async () => {
    const { logits } = await text(goldenSentences());
    expect(largestDifference(logits!, reference.text12L8H.batch4.flat())).toBeLessThan(TOLERANCE);
  });

  test('fusion of speech b4, face b0 and text', async () => {
    const { logits } = await runSession(sessions.fusion, {
      speech: tensor((await speech(sessions.speechB4)).feature!, [1, 1024]),
      face: tensor((await face()).feature!, [1, 640]),
      text: tensor((await text(goldenSentences().slice(0, 1))).feature!, [1, GOLDEN_WORD_DIM]),
      presence: tensor(Float32Array.of(1, 1, 1), [1, 3]),
    });
    expect(largestDifference(logits!, reference.multimodal.fused)).toBeLessThan(TOLERANCE);
  });
});
