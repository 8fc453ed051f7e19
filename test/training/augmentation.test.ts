import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMOTION_COUNT, EMOTIONS } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { augmentFace, TRAINING_FRAMES } from '../../training/data/augment-face.js';
import { augmentSpeech } from '../../training/data/augment-speech.js';
import { dropModalities } from '../../training/data/batches.js';
import { cutmix, mixup } from '../../training/data/mix.js';
import { smoothedTargets } from '../../training/data/targets.js';

const SIZE = 8;

function faces(frames: number): { data: Uint8Array; length: number } {
  const data = new Uint8Array(frames * SIZE * SIZE * 3);
  for (let frame = 0; frame < frames; frame++) {
    data.fill(50 + 4 * frame, frame * SIZE * SIZE * 3, (frame + 1) * SIZE * SIZE * 3);
  }
  return { data, length: frames };
}

function record(frames: number) {
  const times = Array.from({ length: frames }, (_, i) => 0.1 * i);
  return {
    face: { status: 'used' as const, frames, times },
    span: { start: 0, end: 0.1 * (frames - 1) },
  };
}

function examples(labels: number[]) {
  return labels.map((label) => ({ labels: { inte: label, face: (label + 1) % 7, speech: label } }));
}

function rowSums(rows: Float32Array): number[] {
  return Array.from({ length: rows.length / EMOTION_COUNT }, (_, clip) =>
    rows.subarray(clip * EMOTION_COUNT, (clip + 1) * EMOTION_COUNT).reduce((a, b) => a + b, 0),
  );
}

describe('face augmentation', () => {
  test('takes 16 frames in their order, none from the first and last 0.16 s', () => {
    const view = augmentFace(faces(32), record(32), new Random(1));
    expect(view.length).toBe(TRAINING_FRAMES);
    // Frames are of one grey each, so neither rotation nor flip changes them, and brightness keeps their order.
    const greys = Array.from({ length: view.length }, (_, i) => view.data[i * SIZE * SIZE * 3]!);
    expect(greys).toEqual([...greys].sort((a, b) => a - b));
  });

  test('never leaves a clip without frames', () => {
    expect(augmentFace(faces(1), record(1), new Random(1)).length).toBe(1);
    expect(augmentFace(faces(2), record(2), new Random(1)).length).toBe(2);
  });

  test('is the same for the same seed and another for another', () => {
    const view = (seed: number) => augmentFace(faces(20), record(20), new Random(seed)).data;
    expect(view(4)).toEqual(view(4));
    expect(view(4)).not.toEqual(view(5));
  });
});

describe('speech augmentation', () => {
  const flat = () => ({ data: new Float32Array(128 * 400).fill(0.5), length: 400 });

  test('stays in [0, 1] and leaves its input as it was', () => {
    const input = flat();
    const { data } = augmentSpeech(input, null, new Random(2));
    expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(input).toEqual(flat());
  });

  test('masks whole bands and whole frames with zeros', () => {
    const { data } = augmentSpeech(flat(), null, new Random(2));
    const zeroBands = Array.from({ length: 128 }, (_, band) => data.subarray(band * 400, band * 400 + 400)).filter(
      (band) => band.every((value) => value === 0),
    ).length;
    expect(zeroBands).toBeGreaterThan(0);
    expect(zeroBands).toBeLessThanOrEqual(3 * 27);
  });

  test('crops 400 frames out of a longer clip', () => {
    const long = { status: 'used' as const, data: new Float32Array(128 * 500).fill(0.5), frames: 500 };
    expect(augmentSpeech(flat(), long, new Random(2)).length).toBe(400);
  });
});

describe('label smoothing', () => {
  test('gives (1 - e) to the class and e / 6 to the others', () => {
    const { inte } = smoothedTargets(examples([4]), 0.1);
    // float32 of 0.9 and 0.1 / 6, as the reference's golden file has them
    expect([...inte].map((value) => value.toFixed(6))).toEqual(
      EMOTIONS.map((_, c) => (c === 4 ? '0.900000' : '0.016667')),
    );
  });
});

describe('mixing', () => {
  test('mixup keeps the label mass of every clip at 1', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, lambda) => {
        const targets = smoothedTargets(examples([0, 3, 6]), 0.1);
        const batch = {
          clips: 3,
          speech: { data: new Float32Array(3), lengths: Int32Array.of(10, 20, 30) },
          face: { data: new Uint8Array(3), lengths: Int32Array.of(1, 1, 1), frames: 1 },
          text: { data: new Float32Array(3), lengths: Int32Array.of(1, 1, 1), words: 1 },
          presence: Float32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 0),
        };
        mixup(batch, targets, new Random(seed).permutation(3), lambda);
        for (const rows of [targets.inte, targets.face, targets.speech]) {
          for (const sum of rowSums(rows)) expect(sum).toBeCloseTo(1, 5);
        }
      }),
    );
  });

  test('cutmix mixes labels by the exact share of pixels that stayed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, lambda) => {
        const shape = [2, 6, 9, 1] as const;
        const pixels = 2 * 6 * 9;
        const data = new Float32Array(2 * pixels).fill(1, pixels);
        const targets = smoothedTargets(examples([0, 1]), 0);
        const kept = cutmix(data, 2, shape, targets, lambda, new Random(seed));
        const foreign = data.subarray(0, pixels).reduce((a, b) => a + b, 0);
        // Either the permutation swapped the two clips, and the box is foreign, or it changed nothing.
        expect([0, Math.round((1 - kept) * pixels)]).toContain(foreign);
        if (foreign > 0) expect(targets.inte[1]).toBeCloseTo(foreign / pixels, 6);
      }),
    );
  });
});

describe('modality dropout', () => {
  test('always leaves a clip one modality, and takes none with probability 0', () => {
    const presence = new Float32Array(300).fill(1);
    dropModalities(presence, 1, new Random(1));
    for (let clip = 0; clip < 100; clip++) {
      const left = presence.subarray(3 * clip, 3 * clip + 3).reduce((a, b) => a + b, 0);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThan(3);
    }
    const untouched = new Float32Array(30).fill(1);
    dropModalities(untouched, 0, new Random(1));
    expect(untouched.every((value) => value === 1)).toBe(true);
  });
});
