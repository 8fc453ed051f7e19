import { type Compat, PREPROCESSING_VERSION } from '../../common/bundle.js';
import { EMOTIONS, type Modality } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { saveClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { type ClipFeatures, CROP_SIZE, MEL_BANDS } from '../../preprocessing/features.js';

/** What tiny clips have: mel frames, face crops and words, of which the sizes go round. */
export interface TinyClips {
  compat: Compat;
  train: number;
  val: number;
  wordDim: number;
  faceFrames: number;
  /** Modalities that the clip of this number lacks. */
  without?: (index: number) => readonly Modality[];
}

/** Features with all three modalities, of random numbers, the labels in turn. */
export async function makeTinyFeatures(directory: string, clips: TinyClips): Promise<void> {
  for (const split of ['train', 'val'] as const) {
    for (let index = 0; index < clips[split]; index++) {
      const stem = `${split}-${index}`;
      const label = EMOTIONS[index % EMOTIONS.length]!;
      await saveClipFeatures(directory, split, tinyClip(clips, Random.for(1, stem), index), {
        version: PREPROCESSING_VERSION,
        compat: clips.compat,
        maxFrames: 32,
        inputs: 'test',
        stem,
        fileId: stem,
        source: `made/${split}`,
        speaker: null,
        labels: { inte: label, face: label, speech: label },
      });
    }
  }
}

function tinyClip({ wordDim, faceFrames, without }: TinyClips, random: Random, index: number): ClipFeatures {
  const speechFrames = 120 + 70 * (index % 6);
  const words = 3 + (index % 4);
  const crop = CROP_SIZE * CROP_SIZE * 3;
  const faces = new Uint8Array(faceFrames * crop);
  for (let i = 0; i < faceFrames * CROP_SIZE; i++) {
    // Stripes of one colour a line: quick to draw, not the same under a rotation.
    faces.fill(random.integer(256), i * CROP_SIZE * 3, (i + 1) * CROP_SIZE * 3);
  }
  const features: ClipFeatures = {
    speech: {
      status: 'used',
      data: Float32Array.from({ length: MEL_BANDS * speechFrames }, () => random.uniform()),
      frames: speechFrames,
    },
    face: {
      status: 'used',
      data: faces,
      frames: faceFrames,
      times: Array.from({ length: faceFrames }, (_, i) => i / 10),
    },
    text: {
      status: 'used',
      data: Float32Array.from({ length: words * wordDim }, () => random.normal()),
      words,
      dim: wordDim,
    },
    duration: 5,
    span: { start: 0, end: 5 },
  };
  for (const modality of without?.(index) ?? []) features[modality] = { status: 'missing', reason: 'made so' };
  return features;
}
