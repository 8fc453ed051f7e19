import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { EMOTION_COUNT, type Modality } from '../../common/labels.js';
import { MEL_BANDS } from '../../preprocessing/features.js';
import { type InputSpec, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import type { BatchShape } from './batch-shapes.js';

/** The input of one row of a branch: speech (128, 400), face (length, size, size, 3) or words (length, dim). */
export interface BranchInput {
  data: Float32Array | Uint8Array;
  length: number;
}

/**
 * The inputs of one branch's graph, as common/bundle.ts states them. Rows without an input are zeros of length 1.
 *
 * @param gain factor on the normalised pixels; null for a graph without this input
 */
export function branchFeeds(
  modality: Modality,
  inputs: readonly BranchInput[],
  { rows, length }: BatchShape,
  { faceSize, wordDim }: Pick<InputSpec, 'faceSize' | 'wordDim'>,
  gain: number | null,
): InferenceSession.FeedsType {
  const counts = new Int32Array(rows).fill(1);
  for (const [row, input] of inputs.entries()) counts[row] = input.length;
  const lengths = new Tensor('int32', counts, [rows]);
  switch (modality) {
    case 'speech': {
      const size = MEL_BANDS * SPEECH_FRAMES;
      const data = stack(new Float32Array(rows * size), inputs, size);
      return { log_mel: new Tensor('float32', data, [rows, 1, MEL_BANDS, SPEECH_FRAMES]), lengths };
    }
    case 'face': {
      const size = length * faceSize * faceSize * 3;
      const data = stack(new Uint8Array(rows * size), inputs, size);
      const frames = new Tensor('uint8', data, [rows, length, faceSize, faceSize, 3]);
      return { frames, lengths, ...(gain !== null && { gain: new Tensor('float32', Float32Array.of(gain), [1]) }) };
    }
    case 'text': {
      const size = length * wordDim;
      const data = stack(new Float32Array(rows * size), inputs, size);
      return { words: new Tensor('float32', data, [rows, length, wordDim]), lengths };
    }
  }
}

/** Copies each input to the start of its row. */
function stack<Data extends Float32Array | Uint8Array>(
  target: Data,
  inputs: readonly BranchInput[],
  rowSize: number,
): Data {
  for (const [row, { data }] of inputs.entries()) target.set(data, row * rowSize);
  return target;
}

/** The rows of a float32 output of shape (rows, columns), as views. */
export function rowsOf(tensor: Tensor | undefined, rows: number): Float32Array[] {
  const data = tensor?.data;
  if (!(data instanceof Float32Array) || tensor?.dims[0] !== rows) {
    throw new Error(`A graph answered with ${tensor?.type ?? 'no output'} (${tensor?.dims}) for ${rows} rows.`);
  }
  const columns = data.length / rows;
  return Array.from({ length: rows }, (_, row) => data.subarray(row * columns, (row + 1) * columns));
}

/** 7 finite logits as numbers. @throws Error naming `source`, since a score that is no number must never travel on */
export function finiteLogits(row: Float32Array, source: string): number[] {
  const logits = Array.from(row);
  if (logits.length !== EMOTION_COUNT || !logits.every(Number.isFinite)) {
    throw new Error(`The ${source} network answered with scores that are not ${EMOTION_COUNT} numbers.`);
  }
  return logits;
}

/** The shares of the real steps: those after the last real one are zero, the real ones never are. */
export function realShares(attention: Float32Array): number[] {
  let steps = attention.length;
  while (steps > 0 && attention[steps - 1] === 0) steps -= 1;
  return Array.from(attention.subarray(0, steps));
}
