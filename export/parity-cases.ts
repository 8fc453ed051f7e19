import { MODALITIES, type Modality } from '../common/labels.js';
import { Random } from '../common/random.js';
import type { ModelSpec } from '../models/spec.js';
import { MEL_BANDS } from '../preprocessing/features.js';
import {
  type Batch,
  collate,
  fitSpeech,
  fitWords,
  type ModelInputs,
  SPEECH_FRAMES,
} from '../preprocessing/model-inputs.js';

/** Lengths of one clip: mel frames, face frames, words; 0 where the modality is missing. */
type Lengths = readonly [speech: number, face: number, text: number];

/** Three sizes of every input: batches of 1, 2 and 3 clips, padded rows, each modality missing once, three gains. */
const CASES: readonly { gain: number; clips: readonly Lengths[] }[] = [
  { gain: 1, clips: [[SPEECH_FRAMES, 4, 7]] },
  {
    gain: 1.1,
    clips: [
      [250, 2, 38],
      [SPEECH_FRAMES, 5, 3],
    ],
  },
  {
    gain: 0.9,
    clips: [
      [0, 3, 12],
      [33, 0, 1],
      [317, 1, 0],
    ],
  },
];

const SEED = 1;

/** Side of the cells of a random field, in pixels. */
const CELL = 8;

/** A padded batch, and each of its clips as a batch of its own. */
export interface ParityCase {
  batch: Batch;
  singles: Batch[];
}

/**
 * Seeded random inputs for the network of `spec`: spectrograms and faces that are smooth as real ones are, standard
 * normal word vectors. White noise is unlike anything that a network was trained on: it drives the activations of a
 * true export so far out that rounding alone comes near the tolerance.
 *
 * @param modalities that the clips may have
 */
export function parityCases(spec: ModelSpec, modalities: readonly Modality[] = MODALITIES): ParityCase[] {
  return CASES.map(({ gain, clips: lengths }, number) => {
    const clips = lengths.map((clip, index) =>
      ofModalities(randomInputs(spec, clip, Random.for(SEED, 'parity', number, index)), modalities),
    );
    const batchOf = (inputs: readonly ModelInputs[]) => withGain(collate(inputs, spec), gain);
    return { batch: batchOf(clips), singles: clips.map((clip) => batchOf([clip])) };
  });
}

/** The same clip, which has none but some modalities. */
export function ofModalities(inputs: ModelInputs, modalities: readonly Modality[]): ModelInputs {
  const kept = { ...inputs };
  for (const modality of MODALITIES) if (!modalities.includes(modality)) kept[modality] = null;
  return kept;
}

function withGain(batch: Batch, gain: number): Batch {
  return { ...batch, face: { ...batch.face, gain } };
}

/** Seeded random inputs of one clip. */
export function randomInputs(spec: ModelSpec, [mel, frames, words]: Lengths, random: Random): ModelInputs {
  const used = Math.min(words, spec.maxWords);
  const wordVectors = Float32Array.from({ length: used * spec.wordDim }, () => random.normal());
  return {
    speech: mel === 0 ? null : fitSpeech(smoothField(random, MEL_BANDS, mel), mel, 0, spec.compat),
    face: frames === 0 ? null : { data: randomFrames(random, frames, spec.faceSize), length: frames },
    text: used === 0 ? null : fitWords(wordVectors, used, spec.wordDim, spec.maxWords, spec.compat),
  };
}

/** (frames, size, size, 3) bytes. */
function randomFrames(random: Random, frames: number, size: number): Uint8Array {
  const pixels = size * size;
  const data = new Uint8Array(frames * pixels * 3);
  for (let frame = 0; frame < frames; frame++) {
    for (let channel = 0; channel < 3; channel++) {
      for (const [pixel, value] of smoothField(random, size, size).entries()) {
        data[(frame * pixels + pixel) * 3 + channel] = Math.round(255 * value);
      }
    }
  }
  return data;
}

/** Values in [0, 1), row-major (height, width): uniform random at the corners of cells, bilinear in between. */
function smoothField(random: Random, height: number, width: number): Float32Array {
  const columns = Math.ceil(width / CELL) + 1;
  const corners = Float32Array.from({ length: (Math.ceil(height / CELL) + 1) * columns }, () => random.uniform());
  const field = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const corner = Math.floor(y / CELL) * columns + Math.floor(x / CELL);
      const [down, right] = [(y % CELL) / CELL, (x % CELL) / CELL];
      const upper = (1 - right) * corners[corner]! + right * corners[corner + 1]!;
      const lower = (1 - right) * corners[corner + columns]! + right * corners[corner + columns + 1]!;
      field[y * width + x] = (1 - down) * upper + down * lower;
    }
  }
  return field;
}
