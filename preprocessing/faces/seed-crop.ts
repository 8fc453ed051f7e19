import { CROP_SIZE } from '../features.js';
import { type Picture, type PixelRectangle, sizeOf } from '../media/picture.js';
import { PixelMemory, pixelAddress } from '../pixels/pixel-memory.js';
import type { Box } from './boxes.js';
import { CROP_BYTES } from './crop.js';
import { stretchRows } from './stretch-rows.js';

/** Bytes of an interpolated line: four 32-bit integers a pixel. */
const LINE_BYTES = CROP_SIZE * 16;

const memory = new PixelMemory();

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
  memory.reset();
  const pixels = memory.putPixels(frame, rectangle);
  const { left, top } = rectangle;
  const { width, height } = sizeOf(rectangle);
  const row = (y: number) => pixelAddress(pixels, left, top + y);
  const crop = memory.room(CROP_BYTES);
  if (width === 2 * CROP_SIZE && height === 2 * CROP_SIZE) {
    for (let y = 0; y < CROP_SIZE; y++) {
      memory.loops.halve(row(2 * y), row(2 * y + 1), CROP_SIZE, crop + y * CROP_SIZE * 3);
    }
  } else {
    const columns = weights(width, true);
    const rows = weights(height, false);
    const points = [columns.first, columns.second, columns.weightFirst, columns.weightSecond];
    const places = points.map((values) => memory.put(values));
    const lines = [memory.room(LINE_BYTES), memory.room(LINE_BYTES)] as const;
    stretchRows(
      rows,
      lines,
      (y, line) => memory.loops.lineFixed(row(y), ...places, CROP_SIZE, line),
      (y, upper, lower) => {
        const [a, b] = [rows.weightFirst[y]!, rows.weightSecond[y]!];
        memory.loops.blendFixed(upper, lower, a, b, CROP_SIZE, crop + y * CROP_SIZE * 3);
      },
    );
  }
  output.set(memory.bytes(crop, CROP_BYTES), offset);
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
