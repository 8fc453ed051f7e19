import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../common/random.js';
import { augmentFace, TRAINING_FRAMES } from '../../../training/data/augment-face.js';

const SIZE = 8;
const FRAME = SIZE * SIZE * 3;

/** Frames of one grey each, so that neither rotation nor flip changes them and brightness keeps their order. */
function faces(frames: number): { data: Uint8Array; length: number } {
  const data = new Uint8Array(frames * FRAME);
  for (let frame = 0; frame < frames; frame++) data.fill(50 + 4 * frame, frame * FRAME, (frame + 1) * FRAME);
  return { data, length: frames };
}

function record(frames: number, seconds = 0.1) {
  const times = Array.from({ length: frames }, (_, i) => seconds * i);
  return { face: { status: 'used' as const, frames, times }, span: { start: 0, end: seconds * (frames - 1) } };
}

function greys({ data, length }: { data: Uint8Array; length: number }): number[] {
  return Array.from({ length }, (_, frame) => data[frame * FRAME]!);
}

describe('face augmentation', () => {
  test('takes 16 different frames in their order', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom('default' as const, 'seed' as const), (seed, compat) => {
        const seen = greys(augmentFace(faces(40), record(40), new Random(seed), compat));
        expect(seen).toHaveLength(TRAINING_FRAMES);
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  test('by default never shows what lies in the first and last 0.16 s', () => {
    // Twelve frames at 0.1 s: the first and last two are nearer to the ends, eight are left.
    for (let seed = 0; seed < 20; seed++) {
      expect(augmentFace(faces(12), record(12), new Random(seed), 'default').length).toBe(8);
    }
  });

  test('in compat seed never shows the first and last ten frames, and is black on the left for those that miss', () => {
    for (let seed = 0; seed < 20; seed++) {
      const seen = greys(augmentFace(faces(24), record(24), new Random(seed), 'seed'));
      expect(seen).toHaveLength(TRAINING_FRAMES);
      // Four frames are left of 24. The padding is brightened with them, so it is of one grey, no brighter than they.
      const padding = seen.slice(0, TRAINING_FRAMES - 4);
      expect(new Set(padding).size).toBe(1);
      expect(padding[0]).toBeLessThanOrEqual(seen[TRAINING_FRAMES - 4]!);
    }
  });

  test('never leaves a clip without frames', () => {
    expect(augmentFace(faces(1), record(1), new Random(1), 'default').length).toBe(1);
    expect(augmentFace(faces(2), record(2), new Random(1), 'default').length).toBe(2);
    const seen = greys(augmentFace(faces(2), record(2), new Random(3), 'seed'));
    expect(seen).toHaveLength(TRAINING_FRAMES);
    expect(new Set(seen).size).toBeGreaterThan(1);
  });

  test('shows the same flip and rotation in all frames', () => {
    const clip = faces(16);
    const picture = Uint8Array.from({ length: FRAME }, (_, i) => (i * 7) % 251);
    for (let frame = 0; frame < 16; frame++) clip.data.set(picture, frame * FRAME);
    for (let seed = 0; seed < 10; seed++) {
      const { data, length } = augmentFace(clip, record(16, 1), new Random(seed), 'default');
      for (let frame = 1; frame < length; frame++) {
        expect(data.subarray(frame * FRAME, (frame + 1) * FRAME)).toEqual(data.subarray(0, FRAME));
      }
    }
  });

  test('flips about half of the clips, and rotates about 7 in 10 of them', () => {
    const clip = { data: new Uint8Array(FRAME), length: 1 };
    // Left half dark, right half bright; a rotation by up to 30 degrees leaves the sides apart, but bends the border.
    for (let i = 0; i < FRAME; i++) clip.data[i] = Math.floor(i / 3) % SIZE < SIZE / 2 ? 60 : 160;
    let flipped = 0;
    let rotated = 0;
    const draws = 400;
    for (let seed = 0; seed < draws; seed++) {
      const { data } = augmentFace(clip, record(1), Random.for(seed, 'face'), 'default');
      const middle = (SIZE / 2) * SIZE * 3;
      if (data[middle]! > data[middle + 3 * (SIZE - 1)]!) flipped++;
      if (data.some((value, i) => value !== data[i % (SIZE * 3)])) rotated++;
    }
    // Four standard deviations of a share over 400 draws are 0.1 at most.
    expect(Math.abs(flipped / draws - 0.5)).toBeLessThan(0.1);
    expect(Math.abs(rotated / draws - 0.7)).toBeLessThan(0.1);
  });

  test('is the same for the same seed and another for another; its input stays as it was', () => {
    const clip = faces(20);
    const view = (seed: number) => augmentFace(clip, record(20), new Random(seed), 'default').data;
    expect(view(4)).toEqual(view(4));
    expect(view(4)).not.toEqual(view(5));
    expect(clip).toEqual(faces(20));
  });
});
