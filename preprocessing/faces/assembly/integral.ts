// AssemblyScript: the loops of ../integral-image.ts over each pixel, compiled to WebAssembly. Its 128-bit values hold the
// red, green and blue of a pixel at once (the fourth lane means nothing), which makes them several times as fast.
// Addresses are bytes of the module's memory, which the caller lays out.

const PIXEL: usize = 16;

/** The levels of a pixel, 0 to 255, of its luma and what its colour differences add. */
function level(colour: v128, luma: i32): v128 {
  return i32x4.min_s(i32x4.max_s(i32x4.add(colour, i32x4.splat(luma)), i32x4.splat(0)), i32x4.splat(255));
}

/** Stores a sum: that of its row so far and of all rows above. */
function put(target: usize, pitch: usize, row: v128): void {
  v128.store(target, i32x4.add(row, v128.load(target - pitch)));
}

/**
 * Sums of yuv420p, see IntegralImage.
 *
 * @param y plane of `rows` x `width`. @param u, @param v planes of half the sides
 * @param columns of each row, which are summed up; even, as `rows` is
 * @param luma, @param redOfV, @param greenOfU, @param greenOfV, @param blueOfU factors of the bytes, 16 bits after the point
 * @param sums receives (rows + 1, columns + 1) pixels
 */
export function sumYuv(
  y: usize,
  u: usize,
  v: usize,
  width: usize,
  columns: usize,
  rows: usize,
  luma: i32,
  redOfV: i32,
  greenOfU: i32,
  greenOfV: i32,
  blueOfU: i32,
  sums: usize,
): void {
  const pitch = (columns + 1) * PIXEL;
  const ofU = i32x4(0, greenOfU, blueOfU, 0);
  const ofV = i32x4(redOfV, greenOfV, 0, 0);
  memory.fill(sums, 0, pitch);
  let target = sums + pitch;
  for (let row: usize = 0; row < rows; row++) {
    let sum = i32x4.splat(0);
    v128.store(target, sum);
    target += PIXEL;
    const end = target + columns * PIXEL;
    let luminance = y + row * width;
    let colour = ((row >> 1) * width) >> 1;
    // Two neighbours share a colour.
    for (; target < end; target += 2 * PIXEL, luminance += 2, colour++) {
      const differences = i32x4.add(
        i32x4.shr_s(i32x4.mul(i32x4.splat(<i32>load<u8>(u + colour) - 128), ofU), 16),
        i32x4.shr_s(i32x4.mul(i32x4.splat(<i32>load<u8>(v + colour) - 128), ofV), 16),
      );
      sum = i32x4.add(sum, level(differences, ((<i32>load<u8>(luminance) - 16) * luma) >> 16));
      put(target, pitch, sum);
      sum = i32x4.add(sum, level(differences, ((<i32>load<u8>(luminance + 1) - 16) * luma) >> 16));
      put(target + PIXEL, pitch, sum);
    }
  }
}

/**
 * Sums of RGB, 3 bytes a pixel, see IntegralImage.
 *
 * @param rgb the first pixel of the first row. @param width pixels from a row to the next
 * @param sums receives (rows + 1, columns + 1) pixels
 */
export function sumRgb(rgb: usize, width: usize, columns: usize, rows: usize, sums: usize): void {
  const pitch = (columns + 1) * PIXEL;
  memory.fill(sums, 0, pitch);
  let target = sums + pitch;
  for (let row: usize = 0; row < rows; row++) {
    let sum = i32x4.splat(0);
    v128.store(target, sum);
    target += PIXEL;
    const end = target + columns * PIXEL;
    for (let pixel = rgb + row * width * 3; target < end; target += PIXEL, pixel += 3) {
      const bytes = v128.load32_zero(pixel);
      sum = i32x4.add(sum, i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
      put(target, pitch, sum);
    }
  }
}

/**
 * Part of a rectangle resized by area and normalised, see IntegralImage.
 *
 * @param sums of a picture. @param columns of it
 * @param left, @param top, @param width, @param height the rectangle, in pixels of the sums
 * @param outWidth, @param outHeight what the whole rectangle is resized to
 * @param partLeft, @param partTop, @param partWidth, @param partHeight the part of that, which is made
 * @param windows room for 8 bytes a column of the part
 * @param output receives float32 (3, partHeight, partWidth)
 */
export function resize(
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
  const pitch = (columns + 1) * PIXEL;
  const plane = (partWidth * partHeight) << 2;
  for (let x: usize = 0; x < partWidth; x++) {
    const window = windows + (x << 3);
    store<u32>(window, (left + first(x + partLeft, width, outWidth)) * PIXEL);
    store<u32>(window + 4, (left + end(x + partLeft, width, outWidth)) * PIXEL);
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
      const sum = i32x4.sub(
        i32x4.sub(v128.load(lower + r), v128.load(lower + l)),
        i32x4.sub(v128.load(upper + r), v128.load(upper + l)),
      );
      const mean = f32x4.div(f32x4.convert_i32x4_s(sum), f32x4.splat(<f32>((to - from) * ((r - l) / PIXEL))));
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
