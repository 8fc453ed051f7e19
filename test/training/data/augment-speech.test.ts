import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../common/random.js';
import { augmentSpeech } from '../../../training/data/augment-speech.js';
import { randomTimeWarp, warpTime } from '../../../training/data/time-warp.js';

const BANDS = 128;
const FRAMES = 400;
const SETTINGS = { compat: 'default', timeWarp: 5 } as const;

function spectrogram(value: (band: number, frame: number) => number, length = FRAMES) {
  const data = new Float32Array(BANDS * FRAMES);
  for (let band = 0; band < BANDS; band++) {
    for (let frame = 0; frame < length; frame++) data[band * FRAMES + frame] = value(band, frame);
  }
  return { data, length };
}

const flat = (length = FRAMES) => spectrogram(() => 0.5, length);

describe('speech augmentation', () => {
  test('stays in [0, 1], leaves its input as it was, and is the same for the same seed only', () => {
    const input = spectrogram((band, frame) => ((band * 31 + frame * 17) % 101) / 100);
    const copy = input.data.slice();
    const view = (seed: number) => augmentSpeech(input, null, new Random(seed), SETTINGS).data;
    for (let seed = 0; seed < 20; seed++) {
      expect(view(seed).every((value) => value >= 0 && value <= 1)).toBe(true);
    }
    expect(input.data).toEqual(copy);
    expect(view(2)).toEqual(view(2));
    expect(view(2)).not.toEqual(view(3));
  });

  test('masks at most 3 times 26 bands and 4 times 49 frames, whole, with zeros', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { data } = augmentSpeech(flat(), null, new Random(seed), SETTINGS);
      const bands = Array.from({ length: BANDS }, (_, band) => data[band * FRAMES + firstUnmasked(data)] === 0);
      const band = bands.indexOf(false);
      const frames = Array.from({ length: FRAMES }, (_, frame) => data[band * FRAMES + frame] === 0);
      expect(bands.filter(Boolean).length).toBeLessThanOrEqual(3 * 26);
      expect(frames.filter(Boolean).length).toBeLessThanOrEqual(4 * 49);
      // Nothing else is zero: every zero lies in a masked band or a masked frame.
      const wrong = data.findIndex(
        (value, i) => (value === 0) !== (bands[Math.floor(i / FRAMES)]! || frames[i % FRAMES]!),
      );
      expect(wrong).toBe(-1);
    }
  });

  test('by default brightens real frames only, in compat seed the padding as well', () => {
    const brightens = (compat: 'default' | 'seed', length: number) =>
      Array.from({ length: 20 }, (_, seed) => {
        const { data } = augmentSpeech({ ...flat(100), length }, null, new Random(seed), { compat, timeWarp: 0 });
        return data.some((value, i) => i % FRAMES >= 100 && value > 0);
      }).some(Boolean);
    expect(brightens('default', 100)).toBe(false);
    // There the length states that all frames count.
    expect(brightens('seed', FRAMES)).toBe(true);
  });

  test('crops 400 frames anywhere out of a longer clip', () => {
    // Each frame says its number, as far as brightness and masks leave it: of those views the crop can be told.
    const frames = 500;
    const data = Float32Array.from({ length: BANDS * frames }, (_, i) => 0.4 + (i % frames) / 4096);
    const long = { status: 'used' as const, data, frames };
    const starts: number[] = [];
    for (let seed = 0; seed < 120; seed++) {
      const view = augmentSpeech(flat(), long, new Random(seed), { compat: 'default', timeWarp: 0 });
      expect(view.length).toBe(FRAMES);
      const frame = firstUnmasked(view.data);
      const band = Array.from({ length: BANDS }, (_, i) => view.data[i * FRAMES + frame]!).find((value) => value > 0)!;
      const start = (band - 0.4) * 4096 - frame;
      // Whole but for float32 where the view was not brightened.
      if (Math.abs(start - Math.round(start)) < 1e-2 && start > -0.5 && start < 100.5) starts.push(Math.round(start));
    }
    expect(starts.length).toBeGreaterThan(20);
    expect(Math.max(...starts)).toBeGreaterThan(80);
    expect(Math.min(...starts)).toBeLessThan(20);
  });
});

/** A frame that no time mask hides. */
function firstUnmasked(data: Float32Array): number {
  for (let frame = 0; frame < FRAMES; frame++) {
    for (let band = 0; band < BANDS; band++) if (data[band * FRAMES + frame] !== 0) return frame;
  }
  throw new Error('everything is masked');
}

describe('time warp', () => {
  const lengths = fc.integer({ min: 13, max: FRAMES });

  test('moves what is at the chosen moment by the shift and nothing at the ends', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: -5, max: 5 }),
        (length, where, shift) => {
          const moment = 6 + Math.round(where * (length - 13));
          // Each frame says its time, so that the warped picture says where each frame came from.
          const { data } = spectrogram((_, frame) => frame, length);
          warpTime(data, length, moment, shift);
          for (const band of [0, 77, 127]) {
            const times = data.subarray(band * FRAMES, band * FRAMES + length);
            expect(times[0]).toBe(0);
            expect(times[length - 1]).toBe(length - 1);
            expect(times[moment + shift]).toBeCloseTo(moment, 3);
            const inOrder = times.every((time, frame) => frame === 0 || time > times[frame - 1]!);
            expect(inOrder).toBe(true);
            // Nothing moves further than the chosen moment does; float32 of numbers up to 400.
            const furthest = times.reduce((max, time, frame) => Math.max(max, Math.abs(time - frame)), 0);
            expect(furthest).toBeLessThanOrEqual(Math.abs(shift) + 1e-3);
          }
          expect(data.every((value, i) => i % FRAMES < length || value === 0)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('by nothing changes nothing', () => {
    const input = spectrogram((band, frame) => Math.sin(band + frame));
    const data = input.data.slice();
    warpTime(data, FRAMES, 200, 0);
    expect(data.reduce((max, value, i) => Math.max(max, Math.abs(value - input.data[i]!)), 0)).toBeLessThan(1e-6);
  });

  test('warps by at most the given number of frames, clips of any length', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: FRAMES }), (seed, length) => {
        const { data } = spectrogram((_, frame) => frame, length);
        randomTimeWarp(data, length, 5, new Random(seed));
        let moved = 0;
        for (let frame = 0; frame < length; frame++) moved = Math.max(moved, Math.abs(data[frame]! - frame));
        expect(moved).toBeLessThanOrEqual(5 + 1e-3);
        if (length < 13) expect(moved).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test('keeps a constant as it is, so that loudness does not change', () => {
    const { data } = flat(300);
    randomTimeWarp(data, 300, 5, new Random(1));
    expect(data).toEqual(flat(300).data);
  });
});
