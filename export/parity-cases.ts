import { Random } from '../common/random.js';
import type { ModelSpec } from '../models/spec.js';
import { MEL_BANDS } from '../preprocessing/features.js';
import { type Batch, collate, fitSpeech, type ModelInputs, SPEECH_FRAMES } from '../preprocessing/model-inputs.js';

/** Lengths of one clip: mel frames, face frames, words; 0 where the modality is missing. */
type Lengths = readonly [speech: number, face: number, text: number];

/** Three sizes of every input: batches of 1, 2 and 3 clips, padded rows, each modality missing once. */
const CASES: readonly (readonly Lengths[])[] = [
  [[SPEECH_FRAMES, 4, 7]],
  [
    [250, 2, 38],
    [SPEECH_FRAMES, 5, 3],
  ],
  [
    [0, 3, 12],
    [33, 0, 1],
    [317, 1, 0],
  ],
];

const SEED = 1;

/** A padded batch, and each of its clips as a batch of its own. */
export interface ParityCase {
  batch: Batch;
  singles: Batch[];
}

/** Seeded random inputs for the network of `spec`: bytes, log-mel in [0, 1], standard normal word vectors. */
export function parityCases(spec: ModelSpec): ParityCase[] {
  return CASES.map((lengths, number) => {
    const clips = lengths.map((clip, index) => randomInputs(spec, clip, Random.for(SEED, 'parity', number, index)));
    return { batch: collate(clips, spec), singles: clips.map((clip) => collate([clip], spec)) };
  });
}

function randomInputs(spec: ModelSpec, [mel, frames, words]: Lengths, random: Random): ModelInputs {
  const floats = (count: number, next: () => number) => Float32Array.from({ length: count }, next);
  const bytes = frames * spec.faceSize ** 2 * 3;
  const used = Math.min(words, spec.maxWords);
  return {
    speech:
      mel === 0
        ? null
        : fitSpeech(
            floats(MEL_BANDS * mel, () => random.uniform()),
            mel,
            0,
          ),
    face: frames === 0 ? null : { data: Uint8Array.from({ length: bytes }, () => random.integer(256)), length: frames },
    text: used === 0 ? null : { data: floats(used * spec.wordDim, () => random.normal()), length: used },
  };
}
