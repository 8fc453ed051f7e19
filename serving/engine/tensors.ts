import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { EMOTION_COUNT, type Modality } from '../../common/labels.js';
import { MEL_BANDS } from '../../preprocessing/features.js';
import { type Batch, type InputSpec, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';

/** The inputs of one branch's graph, as common/bundle.ts states them. */
export function branchFeeds(
  modality: Modality,
  batch: Batch,
  spec: Pick<InputSpec, 'faceSize' | 'wordDim'>,
): InferenceSession.FeedsType {
  const lengths = new Tensor('int32', batch[modality].lengths, [batch.clips]);
  switch (modality) {
    case 'speech':
      return {
        log_mel: new Tensor('float32', batch.speech.data, [batch.clips, 1, MEL_BANDS, SPEECH_FRAMES]),
        lengths,
      };
    case 'face': {
      const { data, frames, gain = 1 } = batch.face;
      return {
        frames: new Tensor('uint8', data, [batch.clips, frames, spec.faceSize, spec.faceSize, 3]),
        lengths,
        gain: new Tensor('float32', Float32Array.of(gain), [1]),
      };
    }
    case 'text': {
      const { data, words } = batch.text;
      return { words: new Tensor('float32', data, [batch.clips, words, spec.wordDim]), lengths };
    }
  }
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
