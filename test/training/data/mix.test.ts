import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMOTION_COUNT } from '../../../common/labels.js';
import { Random } from '../../../common/random.js';
import type { Batch } from '../../../preprocessing/model-inputs.js';
import { cutmix, mixBatch, mixup } from '../../../training/data/mix.js';
import { smoothedTargets, type Targets } from '../../../training/data/targets.js';
import { parseTrainConfig } from '../../../training/parse-config.js';

const lambdas = fc.double({ min: 0, max: 1, noNaN: true });
const lengths = fc.integer({ min: 1, max: 5 });

function targetsOf(labels: number[], smoothing = 0.1): Targets {
  const examples = labels.map((label) => ({ labels: { inte: label, face: (label + 1) % 7, speech: label } }));
  return smoothedTargets(examples, smoothing);
}

function rowSums(rows: Float32Array): number[] {
  return Array.from({ length: rows.length / EMOTION_COUNT }, (_, clip) =>
    rows.subarray(clip * EMOTION_COUNT, (clip + 1) * EMOTION_COUNT).reduce((a, b) => a + b, 0),
  );
}

/** Three clips of one word and one face frame of 2 x 2 pixels; the second has no face, the third no words. */
function batchOf(words: number[][]): Batch {
  return {
    clips: 3,
    speech: { data: new Float32Array(3 * 128 * 400), lengths: Int32Array.of(10, 20, 30) },
    face: {
      data: Uint8Array.from({ length: 36 }, (_, i) => 20 * Math.floor(i / 12)),
      lengths: Int32Array.of(1, 1, 1),
      frames: 1,
    },
    text: { data: Float32Array.from(words.flat()), lengths: Int32Array.of(2, 1, 1), words: 2 },
    presence: Float32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 0),
  };
}

describe('mixup', () => {
  test('keeps the label mass of every clip at 1', () => {
    fc.assert(
      fc.property(fc.integer(), lambdas, (seed, lambda) => {
        const targets = targetsOf([0, 3, 6]);
        mixup(batchOf([[1], [2], [3]]), targets, new Random(seed).permutation(3), lambda);
        for (const rows of [targets.inte, targets.face, targets.speech]) {
          for (const sum of rowSums(rows)) expect(sum).toBeCloseTo(1, 5);
        }
      }),
    );
  });

  test('mixes word vectors place by place before the encoder, with the lambda and order of the labels', () => {
    fc.assert(
      fc.property(lambdas, (lambda) => {
        // Two words of two numbers a clip; the padding of the shorter sentences is zeros.
        const words = [
          [1, 2, 3, 4],
          [5, 6, 0, 0],
          [0, 0, 0, 0],
        ];
        const batch = batchOf(words);
        const targets = targetsOf([0, 3, 6], 0);
        const order = [1, 2, 0];
        mixup(batch, targets, order, lambda);
        for (let clip = 0; clip < 3; clip++) {
          for (let i = 0; i < 4; i++) {
            const mixed = lambda * words[clip]![i]! + (1 - lambda) * words[order[clip]!]![i]!;
            expect(batch.text.data[4 * clip + i]).toBeCloseTo(mixed, 5);
          }
        }
        expect(targets.inte[0]).toBeCloseTo(lambda, 6);
        expect(targets.inte[3]).toBeCloseTo(1 - lambda, 6);
      }),
    );
  });

  test('a mixed clip is as long, and has what, either of the two has', () => {
    const batch = batchOf([[1], [2], [3]]);
    mixup(batch, targetsOf([0, 3, 6]), [1, 2, 0], 0.5);
    expect([...batch.text.lengths]).toEqual([2, 1, 2]);
    expect([...batch.speech.lengths]).toEqual([20, 30, 30]);
    expect([...batch.presence]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('faces are mixed to the nearest byte', () => {
    const batch = batchOf([[1], [2], [3]]);
    mixup(batch, targetsOf([0, 3, 6]), [1, 2, 0], 0.63);
    expect([0, 12, 24].map((i) => batch.face.data[i])).toEqual([7, 27, 25]);
  });
});

describe('cutmix', () => {
  test.each(['frames', 'width'] as const)(
    'mixes labels by the exact share of real pixels that stayed: time is %s',
    (time) => {
      fc.assert(
        fc.property(fc.integer(), lambdas, fc.tuple(lengths, lengths), (seed, lambda, own) => {
          const shape = { frames: 5, height: 6, width: 5, channels: 2 };
          const size = 5 * 6 * 5 * 2;
          // A clip's real pixels say which clip they are of; the padding is zeros.
          const data = new Float32Array(2 * size);
          const isReal = (clip: number, i: number) =>
            (time === 'frames' ? Math.floor(i / (6 * 5 * 2)) : Math.floor(i / 2) % 5) < own[clip]!;
          for (let clip = 0; clip < 2; clip++) {
            for (let i = 0; i < size; i++) if (isReal(clip, i)) data[clip * size + i] = clip + 1;
          }
          const targets = targetsOf([0, 1], 0);
          const kept = cutmix(
            data,
            { ...shape, time, lengths: Int32Array.from(own) },
            targets,
            lambda,
            new Random(seed),
          );
          for (let clip = 0; clip < 2; clip++) {
            const row = data.subarray(clip * size, (clip + 1) * size);
            const real = row.filter((_, i) => isReal(clip, i));
            // No padding is pasted, and none is pasted over.
            expect(real.includes(0)).toBe(false);
            expect(row.every((value, i) => isReal(clip, i) || value === 0)).toBe(true);
            const stayed = real.filter((value) => value === clip + 1).length / real.length;
            // The permutation may leave both clips as they are: then they are mixed with themselves.
            if (stayed < 1) expect(kept[clip]).toBeCloseTo(stayed, 12);
            expect(targets.inte[clip * EMOTION_COUNT + clip]).toBeCloseTo(stayed < 1 ? stayed : 1, 6);
          }
          for (const rows of [targets.inte, targets.face, targets.speech]) {
            for (const sum of rowSums(rows)) expect(sum).toBeCloseTo(1, 5);
          }
        }),
      );
    },
  );

  test('pastes one box, the same in every frame and channel', () => {
    fc.assert(
      fc.property(fc.integer(), lambdas, (seed, lambda) => {
        const [frames, height, width, channels] = [3, 7, 8, 3] as const;
        const size = frames * height * width * channels;
        const data = new Uint8Array(2 * size).fill(9, size);
        const pictures = { frames, height, width, channels, time: 'frames', lengths: Int32Array.of(3, 3) } as const;
        cutmix(data, pictures, targetsOf([0, 1]), lambda, new Random(seed));
        const inside = (frame: number, y: number, x: number, channel: number) =>
          data[((frame * height + y) * width + x) * channels + channel] === 9;
        const rows = new Set<number>();
        const columns = new Set<number>();
        let pasted = 0;
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const first = inside(0, y, x, 0);
            for (let frame = 0; frame < frames; frame++) {
              for (let channel = 0; channel < channels; channel++) expect(inside(frame, y, x, channel)).toBe(first);
            }
            if (!first) continue;
            pasted++;
            rows.add(y);
            columns.add(x);
          }
        }
        // A box: every pixel of its rows and columns, and these side by side.
        expect(pasted).toBe(rows.size * columns.size);
        for (const side of [rows, columns]) {
          if (side.size > 0) expect(Math.max(...side) - Math.min(...side) + 1).toBe(side.size);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('is tried only where mixup did not fire', () => {
    const flags = { mode: 'speech', mixup_alpha: 1, cutmix_beta: 1, cutmix_prob: 1 };
    const mixed = (mixup_prob: number) => {
      const batch = batchOf([[1], [2], [3]]);
      for (let i = 0; i < batch.speech.data.length; i++) batch.speech.data[i] = Math.floor(i / (128 * 400));
      mixBatch(batch, targetsOf([0, 3, 6]), 2, parseTrainConfig({ ...flags, mixup_prob }), new Random(7));
      return new Set(batch.speech.data);
    };
    // Cutmix leaves every value one of the three; mixup makes new ones.
    expect([...mixed(0)].every((value) => [0, 1, 2].includes(value))).toBe(true);
    expect([...mixed(1)].every((value) => [0, 1, 2].includes(value))).toBe(false);
  });
});
