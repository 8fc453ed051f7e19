import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { decodeNpzEntry } from '../../common/npz.js';
import { Random } from '../../common/random.js';
import { readSafetensors, type StateDict } from '../../common/safetensors.js';
import type { ModelSpec } from '../../models/spec.js';

const GOLDEN = path.join(import.meta.dirname, '../golden');

/** Every sentence of the reference's text input is padded to so many words of so many numbers. */
export const GOLDEN_WORDS = 38;
export const GOLDEN_WORD_DIM = 200;

/** The multimodal network of the golden logits. */
export const GOLDEN_SPEC: ModelSpec = {
  mode: 'multimodal',
  compat: 'seed',
  speechCoefficient: '4',
  faceCoefficient: '0',
  faceSize: 224,
  textLayers: 12,
  textHeads: 8,
  wordDim: GOLDEN_WORD_DIM,
  maxWords: GOLDEN_WORDS,
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

/** Logits of the PyTorch reference for the inputs of this file and the weights of golden-weights.ts. */
export function referenceLogits(): Promise<z.infer<typeof referenceSchema>> {
  return readJson(path.join(GOLDEN, 'reference-logits.json'), referenceSchema);
}

/** A spectrogram, row-major (128, 400). */
export async function goldenSpeech(): Promise<Float32Array> {
  const { data } = decodeNpzEntry(await fsp.readFile(path.join(GOLDEN, 'model_inputs.npz')), 'speech', 'golden');
  return Float32Array.from(data);
}

/** Four face frames, row-major (4, 224, 224, 3); the stored ones are (channels, frames, height, width). */
export async function goldenFrames(): Promise<Uint8Array> {
  const npz = await fsp.readFile(path.join(GOLDEN, 'model_inputs.npz'));
  const { data } = decodeNpzEntry(npz, 'face_u8_4', 'golden');
  const pixels = data.length / 3;
  const frames = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) frames[(i % pixels) * 3 + Math.floor(i / pixels)] = data[i]!;
  return frames;
}

/** Sentences of 7, 12, 20 and 38 words in the middle of 38 rows, zeros around them: each row-major (38, 200). */
export function goldenSentences(): Float32Array[] {
  return [7, 12, 20, 38].map((words, index) => {
    const random = new Random(100 + index);
    const rows = new Float32Array(GOLDEN_WORDS * GOLDEN_WORD_DIM);
    const start = Math.floor((GOLDEN_WORDS - words) / 2) * GOLDEN_WORD_DIM;
    for (let i = 0; i < words * GOLDEN_WORD_DIM; i++) rows[start + i] = 0.5 * (2 * random.uniform() - 1);
    return rows;
  });
}

/** Puts the reference's batch-norm statistics over those of `state` that begin with `prefix`. */
export async function putGoldenStatistics(
  state: StateDict,
  network: 'attncnn_b0' | 'attncnn_b4' | 'clstm_b0',
  prefix = '',
): Promise<void> {
  const { tensors } = await readSafetensors(path.join(GOLDEN, `${network}_bn_stats.safetensors`));
  for (const [name, value] of tensors) if (state.has(prefix + name)) state.set(prefix + name, value);
}
