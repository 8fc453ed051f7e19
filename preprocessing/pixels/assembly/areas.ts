import { lanes } from './pixels';

/** Bytes of a sum: four 32-bit integers. */
const SUM: usize = 16;

/**
 * For each corner the sum of all pixels above and to the left of it.
 *
 * @param pixels (rows, columns). @param output receives (rows + 1, columns + 1) sums
 */
export function sums(pixels: usize, columns: usize, rows: usize, output: usize): void {
  const pitch = (columns + 1) * SUM;
  memory.fill(output, 0, pitch);
  output += pitch;
  for (let row: usize = 0; row < rows; row++) {
    let sum = i32x4.splat(0);
    v128.store(output, sum);
    output += SUM;
    const end = output + columns * SUM;
    for (; output < end; output += SUM, pixels += 4) {
      sum = i32x4.add(sum, lanes(pixels));
      v128.store(output, i32x4.add(sum, v128.load(output - pitch)));
    }
  }
}

/**
 * Part of a rectangle resized by area and normalised to (x - 127.5) / 128.
 *
 * @param sums of a picture of so many `columns`
 * @param left, @param top, @param width, @param height the rectangle, in pixels of the picture
 * @param outWidth, @param outHeight what the whole rectangle is resized to
 * @param partLeft, @param partTop, @param partWidth, @param partHeight the part of that, which is made
 * @param windows room for 8 bytes a column of the part
 * @param output receives float32 (3, partHeight, partWidth)
 */
export function areas(
  sums: usize,
  columns: usize,
  left: usize,
  top: usize,
  width: usize,
  height: usize,
  outWidth: usize,
  outHeight: usize,
  partLeft: usize,
  partTop: usize,
  partWidth: usize,
  partHeight: usize,
  windows: usize,
  output: usize,
): void {
  const pitch = (columns + 1) * SUM;
  const plane = (partWidth * partHeight) << 2;
  for (let x: usize = 0; x < partWidth; x++) {
    const window = windows + (x << 3);
    store<u32>(window, (left + first(x + partLeft, width, outWidth)) * SUM);
    store<u32>(window + 4, (left + end(x + partLeft, width, outWidth)) * SUM);
  }
  for (let y = partTop; y < partTop + partHeight; y++) {
    const from = first(y, height, outHeight);
    const to = end(y, height, outHeight);
    const upper = sums + (top + from) * pitch;
    const lower = sums + (top + to) * pitch;
    const rowEnd = output + (partWidth << 2);
    for (let window = windows; output < rowEnd; window += 8, output += 4) {
      const l = <usize>load<u32>(window);
      const r = <usize>load<u32>(window + 4);
      // Sums wrap around, and so do their differences.
      const sum = i32x4.sub(
        i32x4.sub(v128.load(lower + r), v128.load(lower + l)),
        i32x4.sub(v128.load(upper + r), v128.load(upper + l)),
      );
      const mean = f32x4.div(f32x4.convert_i32x4_s(sum), f32x4.splat(<f32>((to - from) * ((r - l) / SUM))));
      const normalised = f32x4.mul(f32x4.sub(mean, f32x4.splat(127.5)), f32x4.splat(1 / 128));
      v128.store_lane<f32>(output, normalised, 0);
      v128.store_lane<f32>(output + plane, normalised, 1);
      v128.store_lane<f32>(output + 2 * plane, normalised, 2);
    }
  }
}

/** First input index of an output index. */
function first(index: usize, size: usize, count: usize): usize {
  return (index * size) / count;
}

/** One-past-last input index of an output index. */
function end(index: usize, size: usize, count: usize): usize {
  return ((index + 1) * size + count - 1) / count;
}
