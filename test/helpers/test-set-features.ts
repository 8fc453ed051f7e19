import { type Compat, PREPROCESSING_VERSION } from '../../common/bundle.js';
import { Random } from '../../common/random.js';
import { saveClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { type ClipFeatures, CROP_SIZE, MEL_BANDS, type Missing } from '../../preprocessing/features.js';
import { TINY_SPEC } from './tiny-model.js';

const MISSING: Missing = { status: 'missing', reason: 'left out' };

/** Features of one clip of random numbers; every third clip has no face, every fourth no words. */
export function randomFeatures(clip: number, faceFrames = 3): ClipFeatures {
  const random = Random.for(clip, 'features');
  const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform());
  const faces = Uint8Array.from({ length: faceFrames * CROP_SIZE * CROP_SIZE * 3 }, () => random.integer(256));
  const times = Array.from({ length: faceFrames }, (_, i) => i / 10);
  return {
    speech: { status: 'used', data: floats(MEL_BANDS * 60), frames: 60 },
    face: clip % 3 === 0 ? MISSING : { status: 'used', data: faces, frames: faceFrames, times },
    text:
      clip % 4 === 0
        ? MISSING
        : { status: 'used', data: floats(5 * TINY_SPEC.wordDim), words: 5, dim: TINY_SPEC.wordDim },
    duration: 1,
    span: { start: 0, end: 1 },
  };
}

/** Stores the features of one clip of a test set, as `mer preprocess` would. */
export async function storeTestClip(
  featuresDir: string,
  test: string,
  clip: number,
  features: ClipFeatures,
  compat: Compat = 'default',
): Promise<void> {
  const fileId = String(clip).padStart(5, '0');
  await saveClipFeatures(featuresDir, 'test_merc', features, {
    version: PREPROCESSING_VERSION,
    ...{ compat, maxFrames: 8, inputs: `of clip ${clip}`, stem: `${test}-${fileId}`, fileId },
    source: `merc2020/${test}`,
    labels: null,
    speaker: null,
  });
}
