import { CROP_SIZE } from '../features.js';
import { type Picture, type PixelRectangle, type RgbPatch, RgbReader } from '../media/picture.js';
import type { Box } from './boxes.js';

const reader = new RgbReader();

/** Bits of OpenCV's interpolation weights for bytes. */
const WEIGHT_ONE = 2 ** 11;

/**
 * The pixels that NumPy's `frame[int(y1):int(y2), int(x1):int(x2)]` takes: a negative coordinate counts from the far
 * end, and beyond the ends there is nothing.
 *
 * @returns null when that is no pixel, as it is of most boxes with a negative coordinate
 */
export function sliceBox([x1, y1, x2, y2]: Box, { width, height }: Picture): PixelRectangle | null {
  const bound = (value: number, size: number) => {
    const index = Math.trunc(value);
    return Math.min(size, Math.max(0, index < 0 ? index + size : index));
  };
  const left = bound(x1, width);
  const right = bound(x2, width);
  const top = bound(y1, height);
  const bottom = bound(y2, height);
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

/**
 * Stretches a rectangle of a frame to 224 x 224 as OpenCV's `resize` does with INTER_LINEAR, byte for byte: weights of
 * 11 bits, the rows' sums cut to 16 bits before the columns' weights, and the mean of 2 x 2 pixels where both sides
 * are halved.
 *
 * @param output receives (224, 224, 3) RGB from index `offset` on
 */
export function stretchFace(frame: Picture, rectangle: PixelRectangle, output: Uint8Array, offset: number): void {
  const { left, top, right, bottom } = rectangle;
  const patch = reader.read(frame, rectangle);
  const { data, width } = patch;
  const start = ((top - patch.top) * width + left - patch.left) * 3;
  if (right - left === 2 * CROP_SIZE && bottom - top === 2 * CROP_SIZE) {
    halve(patch, start, output, offset);
    return;
  }
  const columns = weights(right - left, true);
  const rows = weights(bottom - top, false);
  let upper = { row: -1, sums: new Int32Array(CROP_SIZE * 3) };
  let lower = { row: -1, sums: new Int32Array(CROP_SIZE * 3) };
  const fill = (line: typeof upper, row: number) => {
    line.row = row;
    const origin = start + row * width * 3;
    for (let x = 0, i = 0; x < CROP_SIZE; x++) {
      const first = origin + columns.first[x]! * 3;
      const second = origin + columns.second[x]! * 3;
      const [a, b] = [columns.weightFirst[x]!, columns.weightSecond[x]!];
      for (let channel = 0; channel < 3; channel++, i++) {
        line.sums[i] = data[first + channel]! * a + data[second + channel]! * b;
      }
    }
  };
  for (let y = 0, target = offset; y < CROP_SIZE; y++) {
    // The lower row of one line is often the upper row of the next.
    if (lower.row === rows.first[y]) [upper, lower] = [lower, upper];
    if (upper.row !== rows.first[y]) fill(upper, rows.first[y]!);
    if (lower.row !== rows.second[y]) fill(lower, rows.second[y]!);
    const [a, b] = [rows.weightFirst[y]!, rows.weightSecond[y]!];
    for (let i = 0; i < CROP_SIZE * 3; i++, target++) {
      const sum = ((a * (upper.sums[i]! >> 4)) >> 16) + ((b * (lower.sums[i]! >> 4)) >> 16);
      output[target] = (sum + 2) >> 2;
    }
  }
}

/**
 * For each output pixel the two input pixels around it and their weights, which add up to 2048. Beyond the borders
 * OpenCV gives one column all the weight, and takes one row twice: cut to 16 bits that may be one level less.
 */
function weights(size: number, wholeAtBorder: boolean) {
  const scale = size / CROP_SIZE;
  const first = new Int32Array(CROP_SIZE);
  const second = new Int32Array(CROP_SIZE);
  const weightFirst = new Int32Array(CROP_SIZE);
  const weightSecond = new Int32Array(CROP_SIZE);
  for (let i = 0; i < CROP_SIZE; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const index = Math.floor(position);
    const beyond = index < 0 || index >= size - 1;
    const share = beyond && wholeAtBorder ? 0 : Math.fround(position - index);
    first[i] = Math.max(0, Math.min(size - 1, index));
    second[i] = Math.max(0, Math.min(size - 1, index + 1));
    weightFirst[i] = roundHalfEven(Math.fround(Math.fround(1 - share) * WEIGHT_ONE));
    weightSecond[i] = roundHalfEven(Math.fround(share * WEIGHT_ONE));
  }
  return { first, second, weightFirst, weightSecond };
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

function halve({ data, width }: RgbPatch, start: number, output: Uint8Array, offset: number): void {
  const stride = width * 3;
  for (let y = 0, target = offset; y < CROP_SIZE; y++) {
    const origin = start + 2 * y * stride;
    for (let x = 0; x < CROP_SIZE; x++) {
      for (let channel = 0; channel < 3; channel++, target++) {
        const a = origin + 6 * x + channel;
        output[target] = (data[a]! + data[a + 3]! + data[a + stride]! + data[a + stride + 3]! + 2) >> 2;
      }
    }
  }
}
