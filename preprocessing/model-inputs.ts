import type { Compat } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { MODALITIES } from '../common/labels.js';
import { type ClipFeatures, CROP_SIZE, type FaceFeatures, MEL_BANDS } from './features.js';
import { paddingBefore, SEED_FRAMES, seedFrameRange, stridedIndices, takeLeftPadded } from './seed-inputs.js';

/** What the model input of a trained network looks like; travels in checkpoints and bundles. */
export interface InputSpec {
  /** In `seed` every input has one size for all clips, and its padding counts as data. */
  compat: Compat;
  /** Side in pixels of the face input; must divide 224. Crops are averaged down to it. */
  faceSize: number;
  wordDim: number;
  /** Words beyond are cut; in compat seed shorter sentences are padded to as many. */
  maxWords: number;
}

/** What a batch's shape needs to know. */
type BatchSpec = Pick<InputSpec, 'faceSize' | 'wordDim'>;

/** Speech enters the network as exactly this many frames (6.4 s); shorter clips are zero-padded. */
export const SPEECH_FRAMES = 400;

/** Evaluation-mode inputs of one clip; null where the modality is missing. In compat seed `length` includes padding. */
export interface ModelInputs {
  /** (128, 400), `length` real frames. */
  speech: { data: Float32Array; length: number } | null;
  /** (length, faceSize, faceSize, 3) RGB. */
  face: { data: Uint8Array; length: number } | null;
  /** (length, wordDim). */
  text: { data: Float32Array; length: number } | null;
}

/**
 * The inputs of one clip as evaluation, serving and submission use them: the centre of a long spectrogram, all kept
 * face frames, the first `maxWords` words. In compat seed as many face frames as `seedFrames` says, at even strides,
 * and everything padded to one size: speech and words on both sides, face frames on the left. Nothing random.
 *
 * @throws MerError bad_words when the word vectors are not of `spec.wordDim`
 */
export function evaluationInputs(
  features: ClipFeatures,
  spec: InputSpec,
  seedFrames: number = SEED_FRAMES.evaluation,
): ModelInputs {
  const { speech, face, text } = features;
  if (text.status === 'used' && text.dim !== spec.wordDim) {
    throw new MerError(
      'bad_words',
      `The word vectors have ${text.dim} dimensions; the model takes ${spec.wordDim}.`,
      'Give word vectors of the kind that the model was trained on.',
    );
  }
  const { compat, faceSize, maxWords } = spec;
  return {
    speech:
      speech.status === 'used'
        ? fitSpeech(speech.data, speech.frames, Math.floor((speech.frames - SPEECH_FRAMES) / 2), compat)
        : null,
    face: face.status === 'used' ? fitFaces(face, faceSize, compat === 'seed' ? seedFrames : null) : null,
    text: text.status === 'used' ? fitWords(text.data, text.words, text.dim, maxWords, compat) : null,
  };
}

/**
 * Exactly {@link SPEECH_FRAMES} frames of a log-mel spectrogram: `wanted` frames from `start` on (clamped into the
 * clip) when it is longer than that, else all of it, with zeros at the end, in compat seed on both sides.
 *
 * @param data row-major (128, frames)
 * @param wanted at most SPEECH_FRAMES
 * @returns row-major (128, 400) and the number of frames that count: the real ones, in compat seed all
 */
export function fitSpeech(
  data: Float32Array,
  frames: number,
  start: number,
  compat: Compat = 'default',
  wanted: number = SPEECH_FRAMES,
): { data: Float32Array; length: number } {
  const from = Math.max(0, Math.min(start, frames - wanted));
  const length = Math.min(frames, wanted);
  const lead = paddingBefore(length, SPEECH_FRAMES, compat);
  const fitted = new Float32Array(MEL_BANDS * SPEECH_FRAMES);
  for (let band = 0; band < MEL_BANDS; band++) {
    const row = band * frames + from;
    fitted.set(data.subarray(row, row + length), band * SPEECH_FRAMES + lead);
  }
  return { data: fitted, length: compat === 'seed' ? SPEECH_FRAMES : length };
}

/** All crops at the size of the network's input, or `wanted` of them as compat seed takes them. */
function fitFaces(
  { data, frames }: FaceFeatures,
  size: number,
  wanted: number | null,
): { data: Uint8Array; length: number } {
  if (wanted === null) return { data: shrinkFrames(data, frames, size), length: frames };
  const { start, end } = seedFrameRange(frames);
  const indices = stridedIndices(end - start, wanted).map((index) => start + index);
  const taken = takeLeftPadded(data, CROP_SIZE * CROP_SIZE * 3, indices, wanted);
  return { data: shrinkFrames(taken, wanted, size), length: wanted };
}

/**
 * Averages square RGB crops of side 224 down to side `size`: the exact mean of each box of pixels, rounded half up, so
 * that every platform and every backend sees the same bytes.
 *
 * @param data row-major (frames, 224, 224, 3)
 * @returns row-major (frames, size, size, 3)
 * @throws MerError bad_argument when `size` does not divide 224
 */
export function shrinkFrames(data: Uint8Array, frames: number, size: number): Uint8Array {
  const factor = CROP_SIZE / size;
  if (!Number.isInteger(factor)) {
    throw new MerError(
      'bad_argument',
      `A face size of ${size} does not divide ${CROP_SIZE}.`,
      `Choose a face size of which ${CROP_SIZE} is a multiple, such as 224, 112, 56 or 32.`,
    );
  }
  if (factor === 1) return data;
  const result = new Uint8Array(frames * size * size * 3);
  const area = factor * factor;
  const sums = new Uint32Array(size * 3);
  let source = 0;
  let target = 0;
  for (let row = 0; row < frames * size; row++) {
    sums.fill(0);
    for (let dy = 0; dy < factor; dy++) {
      for (let x = 0; x < size; x++) {
        for (let dx = 0; dx < factor; dx++, source += 3) {
          sums[3 * x] = sums[3 * x]! + data[source]!;
          sums[3 * x + 1] = sums[3 * x + 1]! + data[source + 1]!;
          sums[3 * x + 2] = sums[3 * x + 2]! + data[source + 2]!;
        }
      }
    }
    for (let i = 0; i < sums.length; i++) result[target++] = Math.floor((2 * sums[i]! + area) / (2 * area));
  }
  return result;
}

/**
 * The first `maxWords` of `words` vectors, row-major (words, dim). In compat seed shorter sentences get vectors of
 * zeros on both sides, which count as words.
 */
export function fitWords(
  data: Float32Array,
  words: number,
  dim: number,
  maxWords: number,
  compat: Compat = 'default',
): { data: Float32Array; length: number } {
  const length = Math.min(words, maxWords);
  const used = data.subarray(0, length * dim);
  if (compat === 'default') return { data: used, length };
  const padded = new Float32Array(maxWords * dim);
  padded.set(used, paddingBefore(length, maxWords, compat) * dim);
  return { data: padded, length: maxWords };
}

/** A padded batch of B clips. Padding is zeros at the end; a missing modality is all zeros with length 1, presence 0. */
export interface Batch {
  clips: number;
  /** data (B, 1, 128, 400) in [0, 1]; lengths (B). */
  speech: { data: Float32Array; lengths: Int32Array };
  /**
   * data (B, frames, faceSize, faceSize, 3) RGB; lengths (B); `frames` is the longest clip's; `gain` is a factor on the
   * pixels after their normalisation, 1 where it is not given.
   */
  face: { data: Uint8Array; lengths: Int32Array; frames: number; gain?: number | undefined };
  /** data (B, words, wordDim); lengths (B); `words` is the longest clip's. */
  text: { data: Float32Array; lengths: Int32Array; words: number };
  /** (B, 3) in the order of MODALITIES: 1 where the clip has the modality. */
  presence: Float32Array;
}

/** Puts clips into one padded batch; training and serving share it. */
export function collate(inputs: readonly ModelInputs[], spec: BatchSpec): Batch {
  const clips = inputs.length;
  const frames = Math.max(1, ...inputs.map(({ face }) => face?.length ?? 0));
  const words = Math.max(1, ...inputs.map(({ text }) => text?.length ?? 0));
  const speechSize = MEL_BANDS * SPEECH_FRAMES;
  const faceSize = spec.faceSize * spec.faceSize * 3;
  const batch: Batch = {
    clips,
    speech: { data: new Float32Array(clips * speechSize), lengths: new Int32Array(clips).fill(1) },
    face: { data: new Uint8Array(clips * frames * faceSize), lengths: new Int32Array(clips).fill(1), frames },
    text: { data: new Float32Array(clips * words * spec.wordDim), lengths: new Int32Array(clips).fill(1), words },
    presence: new Float32Array(clips * MODALITIES.length),
  };
  const strides = { speech: speechSize, face: frames * faceSize, text: words * spec.wordDim };
  for (const [clip, input] of inputs.entries()) {
    for (const [index, modality] of MODALITIES.entries()) {
      const value = input[modality];
      if (value === null) continue;
      batch[modality].data.set(value.data, clip * strides[modality]);
      batch[modality].lengths[clip] = value.length;
      batch.presence[clip * MODALITIES.length + index] = 1;
    }
  }
  return batch;
}
