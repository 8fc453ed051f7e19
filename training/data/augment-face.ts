import type { Random } from '../../common/random.js';
import type { ClipRecord } from '../../preprocessing/features.js';

/** Frames of a clip that one training sample sees. */
export const TRAINING_FRAMES = 16;
/** Left out at each end, in seconds: what 10 frames at 62.5 frames a second are. */
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
 * the ends; one horizontal flip, brightness, contrast and rotation for all of them.
 */
export function augmentFace(face: Frames, record: Pick<ClipRecord, 'face' | 'span'>, random: Random): Frames {
  const chosen = chooseFrames(record, face.length, random);
  const frameBytes = face.data.length / face.length;
  const size = Math.sqrt(frameBytes / 3);
  const flip = random.uniform() < FLIP_PROBABILITY;
  const gain = 1 + random.between(-CONTRAST, CONTRAST);
  const brightness = random.between(-BRIGHTNESS, BRIGHTNESS);
  const rotated = random.uniform() < ROTATION_PROBABILITY;
  const angle = rotated ? (random.between(-ROTATION_DEGREES, ROTATION_DEGREES) * Math.PI) / 180 : 0;
  const data = new Uint8Array(chosen.length * frameBytes);
  for (const [position, index] of chosen.entries()) {
    const source = face.data.subarray(index * frameBytes, (index + 1) * frameBytes);
    const target = data.subarray(position * frameBytes, (position + 1) * frameBytes);
    if (angle === 0 && !flip) target.set(source);
    else rotate(source, target, size, angle, flip);
  }
  changeBrightness(data, gain, brightness);
  return { data, length: chosen.length };
}

/** Sorted random frames away from the ends; of a clip too short for that, of all frames. */
function chooseFrames({ face, span }: Pick<ClipRecord, 'face' | 'span'>, count: number, random: Random): number[] {
  const all = Array.from({ length: count }, (_, index) => index);
  const inner = all.filter((index) => {
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

/** gain * x plus brightness times the mean of that, rounded and kept in 0..255. */
function changeBrightness(data: Uint8Array, gain: number, brightness: number): void {
  let sum = 0;
  for (const value of data) sum += value;
  const shift = (brightness * gain * sum) / Math.max(data.length, 1);
  const table = Uint8Array.from({ length: 256 }, (_, value) =>
    Math.min(255, Math.max(0, Math.round(gain * value + shift))),
  );
  for (let i = 0; i < data.length; i++) data[i] = table[data[i]!]!;
}
