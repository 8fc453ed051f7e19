import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { augmentPreview } from '../../../training/preview/augment-preview.js';
import { makeTinyFeatures } from '../../helpers/tiny-features.js';

let directory: string;
let features: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-preview-'));
  features = path.join(directory, 'features');
  await makeTinyFeatures(features, { compat: 'default', train: 4, val: 0, wordDim: 24, faceFrames: 6 });
});
afterAll(() => fsp.rm(directory, { recursive: true }));

function sheets(name: string, options: { seed?: number; mode?: 'speech' } = {}) {
  return augmentPreview({ features, out: path.join(directory, name), seed: 1, clips: 2, ...options });
}

describe('mer augment-preview', () => {
  test('draws a sheet for each modality, with every view of every clip', async () => {
    const files = await sheets('all');
    expect(files.map((file) => path.basename(file))).toEqual(['speech.png', 'face.png', 'text.png']);
    const [speech, face, text] = await Promise.all(files.map((file) => sharp(file).metadata()));
    // Two clips; speech: two rows of three spectrograms of 400 x 128 each, under captions of 18, between gaps of 12.
    expect([speech!.width, speech!.height]).toEqual([3 * 412 + 12, 12 + 30 + 4 * (18 + 128 + 12)]);
    // Six rows of sixteen places of 112 with gaps of 2; text beside its mixture.
    expect([face!.width, face!.height]).toEqual([16 * 114 - 2 + 24, 12 + 30 + 12 * (18 + 112 + 12)]);
    expect(text!.width).toBe(2 * (24 * 2 + 12) + 12);
  });

  test('draws the same for the same seed and something else for another', async () => {
    const speech = async (name: string, seed: number) => {
      const files = await sheets(name, { seed, mode: 'speech' });
      expect(files).toHaveLength(1);
      return fsp.readFile(files[0]!);
    };
    const [first, again, other] = [await speech('a', 1), await speech('b', 1), await speech('c', 2)];
    expect(again.equals(first)).toBe(true);
    expect(other.equals(first)).toBe(false);
  });

  test('says that there is nothing to draw', async () => {
    const nowhere = { features: path.join(directory, 'nowhere'), out: directory, seed: 1, clips: 2 };
    await expect(augmentPreview(nowhere)).rejects.toMatchObject({ code: 'not_found' });
  });
});
