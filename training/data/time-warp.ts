import type { Random } from '../../common/random.js';
import { MEL_BANDS } from '../../preprocessing/features.js';
import { SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';

/**
 * The time warp of SpecAugment (arXiv 1904.08779, section 2), in place: a random moment, further than `largest` frames
 * from both ends, moves by up to `largest` frames to the left or right; what lies before is stretched and what lies
 * behind compressed, or the other way about. Clips too short for that stay as they are.
 *
 * @param data row-major (128, 400), of which the first `length` frames are real
 */
export function randomTimeWarp(data: Float32Array, length: number, largest: number, random: Random): void {
  const choices = length - 2 * (largest + 1);
  if (choices < 1) return;
  const moment = largest + 1 + random.integer(choices);
  warpTime(data, length, moment, random.between(-largest, largest));
}

/**
 * Moves what is at `moment` by `shift` frames, in place; the first and the last real frame stay where they are.
 * Between these three points time is piecewise linear, and values are interpolated linearly between frames.
 *
 * @param moment in (0, length - 1), where it must also lie after the shift
 */
export function warpTime(data: Float32Array, length: number, moment: number, shift: number): void {
  const last = length - 1;
  const moved = moment + shift;
  const row = new Float32Array(length);
  for (let band = 0; band < MEL_BANDS; band++) {
    const start = band * SPEECH_FRAMES;
    row.set(data.subarray(start, start + length));
    for (let frame = 1; frame < last; frame++) {
      const source =
        frame <= moved ? (frame * moment) / moved : moment + ((frame - moved) * (last - moment)) / (last - moved);
      const before = Math.min(Math.floor(source), last - 1);
      const share = source - before;
      data[start + frame] = (1 - share) * row[before]! + share * row[before + 1]!;
    }
  }
}
