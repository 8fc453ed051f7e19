import type { Compat } from '../../common/bundle.js';
import type { Random } from '../../common/random.js';
import type { StoredFaces } from '../../preprocessing/corpus/stored-faces.js';
import type { ClipRecord } from '../../preprocessing/features.js';
import { seedFrameRange, takeLeftPadded } from '../../preprocessing/seed-inputs.js';
import { changeBytes } from './brightness.js';

/** Frames of a clip that one training sample sees. */
export const TRAINING_FRAMES = 16;
/** Left out at each end by default, in seconds: what 10 frames at 62.5 frames a second are. */
const END_SECONDS = 0.16;
const FLIP_PROBABILITY = 0.5;
const BRIGHTNESS = 0.5;
const CONTRAST = 0.5;
const ROTATION_DEGREES = 30;
const ROTATION_PROBABILITY = 0.7;

interface Frames {
  data: Uint8Array;
  length: number;
}

/**
 * A random view of a clip's faces, (frames, size, size, 3): up to 16 random frames in their order, without those at
 * the ends; one brightness, contrast, horizontal flip and rotation for all of them. In compat seed always 16 frames,
 * black ones on the left where the clip has fewer; they are brightened with the others.
 *
 * @param face all frames of the clip, in memory (not changed) or stored
 */
export function augmentFace(
  face: Frames | StoredFaces,
  record: Pick<ClipRecord, 'face' | 'span'>,
  random: Random,
  compat: Compat,
): Frames {
  const chosen = chooseFrames(record, face.length, random, compat);
  const length = compat === 'seed' ? TRAINING_FRAMES : chosen.length;
  const { data: frames, order } =
    'take' in face ? { data: face.take(chosen), order: [...chosen.keys()] } : { data: face.data, order: chosen };
  const frameBytes = frames.length / ('take' in face ? chosen.length : face.length);
  const size = Math.sqrt(frameBytes / 3);
  const source = takeLeftPadded(frames, frameBytes, order, length);
  const flip = random.uniform() < FLIP_PROBABILITY;
  const gain = 1 + random.between(-CONTRAST, CONTRAST);
  changeBytes(source, gain, random.between(-BRIGHTNESS, BRIGHTNESS), compat);
  const rotated = random.uniform() < ROTATION_PROBABILITY;
  const angle = rotated ? (random.between(-ROTATION_DEGREES, ROTATION_DEGREES) * Math.PI) / 180 : 0;
  if (angle === 0 && !flip) return { data: source, length };
  const data = new Uint8Array(source.length);
  for (let start = 0; start < data.length; start += frameBytes) {
    const end = start + frameBytes;
    rotate(source.subarray(start, end), data.subarray(start, end), size, angle, flip);
  }
  return { data, length };
}

/** Sorted random frames away from the ends; of a clip too short for that, of all frames. */
function chooseFrames(
  { face, span }: Pick<ClipRecord, 'face' | 'span'>,
  count: number,
  random: Random,
  compat: Compat,
): number[] {
  const all = Array.from({ length: count }, (_, index) => index);
  const { start, end } = seedFrameRange(count);
  const inner = all.filter((index) => {
    if (compat === 'seed') return index >= start && index < end;
    const time = face.times[index] ?? span.start;
    return time >= span.start + END_SECONDS && time <= span.end - END_SECONDS;
  });
  const pool = inner.length > 0 ? inner : all;
  const order = random.permutation(pool.length).slice(0, TRAINING_FRAMES);
  return order.map((position) => pool[position]!).sort((a, b) => a - b);
}

/** Rotates a square RGB image about its centre, bilinear, with reflected borders; `flip` mirrors it first. */
function rotate(source: Uint8Array, target: Uint8Array, size: number, angle: number, flip: boolean): void {
  const centre = (size - 1) / 2;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let t = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++, t += 3) {
      let sx = cos * (x - centre) + sin * (y - centre) + centre;
      const sy = cos * (y - centre) - sin * (x - centre) + centre;
      if (flip) sx = size - 1 - sx;
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      const fx = sx - x0;
      const fy = sy - y0;
      const left = reflect(x0, size);
      const right = reflect(x0 + 1, size);
      const top = reflect(y0, size) * size;
      const bottom = reflect(y0 + 1, size) * size;
      for (let channel = 0; channel < 3; channel++) {
        const upper = source[3 * (top + left) + channel]! * (1 - fx) + source[3 * (top + right) + channel]! * fx;
        const lower = source[3 * (bottom + left) + channel]! * (1 - fx) + source[3 * (bottom + right) + channel]! * fx;
        target[t + channel] = Math.round(upper * (1 - fy) + lower * fy);
      }
    }
  }
}

/** Index of a pixel beyond the border, mirrored without repeating the border pixel. */
function reflect(index: number, size: number): number {
  const mirrored = index < 0 ? -index : index;
  return mirrored < size ? mirrored : 2 * (size - 1) - mirrored;
}
