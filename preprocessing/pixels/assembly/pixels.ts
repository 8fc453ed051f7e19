/** A pixel in memory as four 32-bit integers. */
export function lanes(pixel: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(pixel)));
}

/** Stores a pixel: levels below 0 or above 255 become those. */
function storeLevels(pixel: usize, levels: v128): void {
  const narrow = i16x8.narrow_i32x4_s(levels, levels);
  v128.store_lane<u32>(pixel, i8x16.narrow_i16x8_u(narrow, narrow), 0);
}

/**
 * Part of a picture of yuv420p as pixels.
 *
 * @param y, @param u, @param v where the part begins in each plane. @param width of the picture
 * @param columns, @param rows of the part, even numbers
 * @param luma, @param redOfV, @param greenOfU, @param greenOfV, @param blueOfU factors of bytes less their zero, with 16 bits
 *   after the point
 * @param output receives (rows, columns) pixels
 */
export function pixelsOfYuv(
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
  output: usize,
): void {
  const ofU = i32x4(0, greenOfU, blueOfU, 0);
  const ofV = i32x4(redOfV, greenOfV, 0, 0);
  for (let row: usize = 0; row < rows; row++) {
    const end = output + columns * 4;
    let bright = y + row * width;
    let colour = ((row >> 1) * width) >> 1;
    // Two neighbours share a colour.
    for (; output < end; output += 8, bright += 2, colour++) {
      const differences = i32x4.add(
        i32x4.shr_s(i32x4.mul(i32x4.splat(<i32>load<u8>(u + colour) - 128), ofU), 16),
        i32x4.shr_s(i32x4.mul(i32x4.splat(<i32>load<u8>(v + colour) - 128), ofV), 16),
      );
      storeLevels(output, i32x4.add(differences, i32x4.splat(((<i32>load<u8>(bright) - 16) * luma) >> 16)));
      storeLevels(output + 4, i32x4.add(differences, i32x4.splat(((<i32>load<u8>(bright + 1) - 16) * luma) >> 16)));
    }
  }
}

/**
 * Part of a picture of RGB, 3 bytes a pixel, as pixels. The byte behind it is read, too.
 *
 * @param rgb where the part begins. @param width of the picture. @param columns, @param rows of the part
 * @param output receives (rows, columns) pixels
 */
export function pixelsOfRgb(rgb: usize, width: usize, columns: usize, rows: usize, output: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const end = output + columns * 4;
    for (let pixel = rgb + row * width * 3; output < end; output += 4, pixel += 3) {
      store<u32>(output, load<u32>(pixel));
    }
  }
}
