import fsp from 'node:fs/promises';
import path from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import type { Modality } from '../../common/labels.js';
import { decodeNpzEntry } from '../../common/npz.js';
import { Random } from '../../common/random.js';
import { readSafetensors, type StateDict } from '../../common/safetensors.js';
import { branchGraph, fusionGraph } from '../../export/network-graphs.js';
import { branchFeatures } from '../../models/multimodal.js';
import { networkParameters } from '../../models/parameters.js';
import { sinusoidalPositions } from '../../models/positions.js';
import type { ModelSpec } from '../../models/spec.js';
import { formulaState, formulaValues } from '../helpers/golden-weights.js';
import { largestDifference, openGraphs, runSession, tensor } from '../helpers/onnx-files.js';

// PyTorch's float32 logits, of size 0.01 to 1.5: what may differ is the order of float32 sums. A wrong padding of one
// layer moves them by 1e-2.
const TOLERANCE = 5e-5;

const WORDS = 38;
const WORD_DIM = 200;

const golden = path.join(import.meta.dirname, '../golden');
const spec: ModelSpec = {
  mode: 'multimodal',
  compat: 'default',
  speechCoefficient: '4',
  faceCoefficient: '0',
  faceSize: 224,
  textLayers: 12,
  textHeads: 8,
  wordDim: WORD_DIM,
  maxWords: WORDS,
  fan: 'self',
  fusion: 'concat',
};

const logits = z.array(z.number()).length(7);
const referenceSchema = z.object({
  'AttnCNN-B0': z.object({ logits }),
  'AttnCNN-B4': z.object({ logits }),
  'CLSTM-B0': z.object({ logits }),
  text12L8H: z.object({ batch4: z.array(logits).length(4), eachAlone: z.array(logits).length(4) }),
  multimodal: z.object({ fused: logits }),
});

let reference: z.infer<typeof referenceSchema>;
let sessions: Record<'speechB0' | 'speechB4' | 'faceB0' | 'text' | 'fusion', InferenceSession>;

/** The formula's weights under the reference's own names, with its stored batch-norm statistics. */
async function goldenState(mode: Modality, overrides: Partial<ModelSpec>, statistics?: string): Promise<StateDict> {
  const state = formulaState(networkParameters({ ...spec, ...overrides, mode }));
  if (statistics === undefined) return state;
  const { tensors } = await readSafetensors(path.join(golden, `${statistics}_bn_stats.safetensors`));
  for (const [name, value] of tensors) if (state.has(name)) state.set(name, value);
  return state;
}

beforeAll(async () => {
  reference = await readJson(path.join(golden, 'reference-logits.json'), referenceSchema);
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
  const { data } = decodeNpzEntry(await fsp.readFile(path.join(golden, 'model_inputs.npz')), 'speech', 'golden');
  return runSession(session, {
    log_mel: tensor(Float32Array.from(data), [1, 1, 128, 400]),
    lengths: tensor(Int32Array.of(400), [1]),
  });
}

/** The stored frames are (channels, frames, height, width). */
async function face() {
  const npz = await fsp.readFile(path.join(golden, 'model_inputs.npz'));
  const { data, shape } = decodeNpzEntry(npz, 'face_u8_4', 'golden');
  const pixels = shape[1]! * shape[2]! * shape[3]!;
  const frames = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) frames[(i % pixels) * 3 + Math.floor(i / pixels)] = data[i]!;
  return runSession(sessions.faceB0, {
    frames: tensor(frames, [1, shape[1]!, shape[2]!, shape[3]!, 3]),
    lengths: tensor(Int32Array.of(shape[1]!), [1]),
  });
}

/** The reference's text inputs: sentences of 7, 12, 20 and 38 words in the middle of 38 rows, zeros around them. */
function sentences(): Float32Array[] {
  return [7, 12, 20, 38].map((words, index) => {
    const random = new Random(100 + index);
    const rows = new Float32Array(WORDS * WORD_DIM);
    const start = Math.floor((WORDS - words) / 2) * WORD_DIM;
    for (let i = 0; i < words * WORD_DIM; i++) rows[start + i] = 0.5 * (2 * random.uniform() - 1);
    return rows;
  });
}

/**
 * The reference attends across the batch at each of the 38 rows, without positions. Ours does the same when the clips
 * of that batch are given as the words of 38 clips, with the positions taken off beforehand.
 *
 * @returns feature and logits of each row's mean over the clips, averaged over the rows
 */
async function acrossClips(clips: Float32Array[]) {
  const positions = sinusoidalPositions(clips.length, WORD_DIM);
  const words = new Float32Array(WORDS * clips.length * WORD_DIM);
  for (let row = 0; row < WORDS; row++) {
    for (const [clip, rows] of clips.entries()) {
      for (let i = 0; i < WORD_DIM; i++) {
        const value = rows[row * WORD_DIM + i]! - positions[clip * WORD_DIM + i]!;
        words[(row * clips.length + clip) * WORD_DIM + i] = value;
      }
    }
  }
  const outputs = await runSession(sessions.text, {
    words: tensor(words, [WORDS, clips.length, WORD_DIM]),
    lengths: tensor(new Int32Array(WORDS).fill(clips.length), [WORDS]),
  });
  return { feature: meanRow(outputs.feature!, WORD_DIM), logits: meanRow(outputs.logits!, 7) };
}

function meanRow(data: ArrayLike<number>, columns: number): number[] {
  const rows = data.length / columns;
  return Array.from({ length: columns }, (_, column) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += data[row * columns + column]!;
    return sum / rows;
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
    for (const [index, sentence] of sentences().entries()) {
      const { logits } = await acrossClips([sentence]);
      expect(largestDifference(logits, reference.text12L8H.eachAlone[index]!)).toBeLessThan(TOLERANCE);
    }
  });

  test('text, attention over four', async () => {
    const { logits } = await acrossClips(sentences());
    expect(largestDifference(logits, meanRow(reference.text12L8H.batch4.flat(), 7))).toBeLessThan(TOLERANCE);
  });

  test('fusion of speech b4, face b0 and text', async () => {
    const text = await acrossClips(sentences().slice(0, 1));
    const { logits } = await runSession(sessions.fusion, {
      speech: tensor((await speech(sessions.speechB4)).feature!, [1, 1024]),
      face: tensor((await face()).feature!, [1, 640]),
      text: tensor(Float32Array.from(text.feature), [1, WORD_DIM]),
      presence: tensor(Float32Array.of(1, 1, 1), [1, 3]),
    });
    expect(largestDifference(logits!, reference.multimodal.fused)).toBeLessThan(TOLERANCE);
  });
});
