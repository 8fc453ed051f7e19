import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { preprocessClip } from '../../preprocessing/clip.js';
import type { Box } from '../../preprocessing/faces/boxes.js';
import { CROP_BYTES } from '../../preprocessing/faces/crop.js';
import type { FaceDetector } from '../../preprocessing/faces/face-detector.js';
import { sliceBox, stretchFace } from '../../preprocessing/faces/seed-crop.js';
import { seedFaceFeatures } from '../../preprocessing/faces/seed-face-features.js';
import type { FaceFeatures } from '../../preprocessing/features.js';
import type { Picture } from '../../preprocessing/media/picture.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, goldenFile, runFfmpeg, SETTINGS, testDetector } from './helpers.js';
import { seedGolden } from './seed-golden.js';

const SEED = { ...SETTINGS, compat: 'seed' } as const;

function crops({ face }: { face: { status: string } }): FaceFeatures {
  if (face.status !== 'used') throw new Error(JSON.stringify(face));
  return face as FaceFeatures;
}

/** Mean of each channel of each crop. */
function means({ data, frames }: FaceFeatures): number[][] {
  return Array.from({ length: frames }, (_, crop) => {
    const sums = [0, 0, 0];
    for (let i = crop * CROP_BYTES; i < (crop + 1) * CROP_BYTES; i++) sums[i % 3]! += data[i]!;
    return sums.map((sum) => sum / (CROP_BYTES / 3));
  });
}

describe('the faces of a clip in compat seed', () => {
  let detector: FaceDetector;
  beforeAll(async () => {
    detector = await testDetector();
  });
  afterAll(() => detector.dispose());

  // Measured: every byte of every crop of the four clips is the reference's. The tolerance of one level is for machines
  // whose sums differ in the last bit, where the cut of a box to whole pixels may fall to the other side.
  it.each([3, 4] as const)('are the crops of the reference, in its order: clip %i', async (number) => {
    const expected = seedGolden[number - 1]!;
    const clip = await preprocessClip({ clip: goldenClip(number) }, SEED, detector);
    const { start, end } = clip.span;
    expect([start * 16000, end * 16000]).toEqual(expected.trim);
    expect(clip.speech).toMatchObject({ status: 'used', frames: expected.melFrames });
    const found = crops(clip);
    expect(found.frames).toBe(expected.cropMeans.length);
    for (const [i, mean] of means(found).entries()) {
      for (const [channel, value] of mean.entries()) {
        expect(Math.abs(value - expected.cropMeans[i]![channel]!), `crop ${i}`).toBeLessThan(1);
      }
    }
    const perFrame = expected.detections.map(({ boxes }) => Math.max(1, boxes.length));
    const times = Array.from({ length: expected.melFrames }, (_, i) => {
      return new Array<number>(perFrame[Math.floor(i / 4)]!).fill(start + ((end - start) * i) / expected.melFrames);
    });
    expect(found.times).toEqual(times.flat());
    const blank = expected.detections.filter(({ boxes }) => boxes.length === 0).length;
    expect(clip.faceShare).toBeCloseTo(1 - blank / expected.detections.length, 2);
  });

  it('are taken from the whole clip when it has no sound', async () => {
    const clip = await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.mp4');
      await runFfmpeg('-i', goldenClip(4), '-an', '-c', 'copy', '-t', '1', file);
      return preprocessClip({ clip: file }, SEED, detector);
    });
    expect(clip.speech).toEqual({ status: 'missing', reason: 'the clip has no sound' });
    expect(clip.span).toEqual({ start: 0, end: clip.duration });
    // One for each 256 samples of 16 kHz, and one more.
    expect(crops(clip).frames).toBe(1 + Math.floor(clip.span.end * 62.5));
  });

  it('are missing when there are no pictures', async () => {
    const clip = await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.wav');
      await runFfmpeg('-i', goldenClip(2), '-vn', file);
      return preprocessClip({ clip: file }, SEED, detector);
    });
    expect(clip.face).toEqual({ status: 'missing', reason: 'the clip has no pictures' });
  });
});

describe('the crops of compat seed', () => {
  /** `count` frames of 64 x 48 whose pixels say their number. */
  function streamOf(count: number, rate: number) {
    async function* frames(): AsyncGenerator<Picture> {
      for (let i = 0; i < count; i++) yield { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3).fill(10 + i) };
    }
    return { rate, frames: frames() };
  }

  /** Answers with boxes and notes which frames it was shown. */
  function fakeDetector(boxes: Box[]) {
    const shown: number[] = [];
    const detector: FaceDetector = {
      async detect(frame) {
        shown.push(frame.data[0]! - 10);
        return boxes.map((box) => ({ box, probability: 1, points: [] }));
      },
      refine: () => Promise.reject(new Error('not asked in compat seed')),
      dispose: () => Promise.resolve(),
    };
    return { detector, shown };
  }

  const SPAN = { start: 0, end: 1.6 };

  async function colours(boxes: Box[], frames = 100, rate = 30) {
    const { detector, shown } = fakeDetector(boxes);
    const { features, share, ended } = await seedFaceFeatures(streamOf(frames, rate), SPAN, 100, detector);
    const seen =
      features.status === 'used'
        ? Array.from({ length: features.frames }, (_, i) => features.data[i * CROP_BYTES]!)
        : features;
    return { seen, share, ended, shown };
  }

  const frameAt = (moment: number, rate: number) => Math.trunc((rate * 1.6 * moment) / 100 + 0.00001);

  it('are of the frames that are shown at even times, looked at in every fourth', async () => {
    const { seen, shown, share, ended } = await colours([[5, 5, 30, 30]]);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => 10 + frameAt(i, 30)));
    expect(shown).toEqual(Array.from({ length: 25 }, (_, i) => frameAt(4 * i, 30)));
    expect({ share, ended }).toEqual({ share: 1, ended: null });
  });

  it('look at no frame twice where the clip has few of them', async () => {
    const { seen, shown } = await colours([[5, 5, 30, 30]], 100, 5);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => 10 + frameAt(i, 5)));
    expect(shown).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('are black where there is no face', async () => {
    expect(await colours([])).toMatchObject({ seen: new Array(100).fill(0), share: 0 });
  });

  it('leave out a face that reaches over the left or upper border', async () => {
    const { seen } = await colours([
      [-1, 5, 30, 30],
      [5, 5, 30, 30],
      [5, -1.2, 30, 30],
    ]);
    expect(seen).toHaveLength(100);
    expect((await colours([[-1, 5, 30, 30]])).seen).toMatchObject({ status: 'missing' });
  });

  it('go on with the last frame when the pictures end before the sound', async () => {
    const { seen, ended } = await colours([[5, 5, 30, 30]], 10, 30);
    expect(seen).toHaveLength(100);
    expect(Array.isArray(seen) && seen.at(-1)).toBe(19);
    expect(ended).toBeCloseTo(10 / 30);
  });

  it('are refused rather than kept in memory when a clip is too long for them', async () => {
    const { detector } = fakeDetector([]);
    await expect(seedFaceFeatures(streamOf(1, 30), SPAN, 37_500, detector)).rejects.toThrow(/more than 3750 crops/);
  });

  it.each([
    [[1.9, 2.9, 10.9, 20.9], { left: 1, top: 2, right: 10, bottom: 20 }],
    [[60, 40, 90, 90], { left: 60, top: 40, right: 64, bottom: 48 }],
    [[-0.9, -0.9, 5, 5], { left: 0, top: 0, right: 5, bottom: 5 }],
    [[-3, 5, 10, 10], null],
    [[-3, 5, 63, 10], { left: 61, top: 5, right: 63, bottom: 10 }],
    [[5, 5, 5.9, 10], null],
    [[70, 5, 80, 10], null],
    [[-9, 5, -4, 10], { left: 55, top: 5, right: 60, bottom: 10 }],
  ] as const)('take the pixels that NumPy takes: %j', (box, expected) => {
    expect(sliceBox([...box], { width: 64, height: 48, data: new Uint8Array(0) })).toEqual(expected);
  });

  const resized = z
    .array(z.object({ height: z.number(), width: z.number(), sha256: z.string() }))
    .parse(JSON.parse(fs.readFileSync(goldenFile('opencv_resize.json'), 'utf8')));

  it.each(resized)('are stretched as OpenCV does, byte for byte: $height x $width', ({ height, width, sha256 }) => {
    const data = new Uint8Array(height * width * 3);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < 3; c++, i++) {
          data[i] = x * 37 + y * 59 + c * 101 + ((x * y) % 251) + ((x * x + 3 * y * y) % 127);
        }
      }
    }
    const output = new Uint8Array(CROP_BYTES);
    stretchFace({ data, width, height }, { left: 0, top: 0, right: width, bottom: height }, output, 0);
    expect(crypto.createHash('sha256').update(output).digest('hex')).toBe(sha256);
  });
});
