import { lanes } from './pixels';

/** Bytes that a pixel of an interpolated line takes: four float64, or four 32-bit integers. */
const EXACT: usize = 32;
const FIXED: usize = 16;

/** Stores the low bytes of three lanes. */
function storeRgb(output: usize, levels: v128): void {
  v128.store_lane<u8>(output, levels, 0);
  v128.store_lane<u8>(output + 1, levels, 4);
  v128.store_lane<u8>(output + 2, levels, 8);
}

/** a + (b - a) * weight, for two float64. */
function between(a: v128, b: v128, weight: v128): v128 {
  return f64x2.add(a, f64x2.mul(f64x2.sub(b, a), weight));
}

/** The last two of four 32-bit integers as float64. */
function lastTwo(values: v128): v128 {
  return f64x2.convert_low_i32x4_s(v128.shuffle<i32>(values, values, 2, 3, 2, 3));
}

/**
 * A row of pixels, interpolated linearly.
 *
 * @param pixels of the row. @param first, @param second for each of `size` output columns its two pixels (uint32)
 * @param weights of the second one (float64). @param line receives 32 bytes a column
 */
export function line(pixels: usize, first: usize, second: usize, weights: usize, size: usize, line: usize): void {
  for (let x: usize = 0; x < size; x++, line += EXACT) {
    const a = lanes(pixels + ((<usize>load<u32>(first + (x << 2))) << 2));
    const b = lanes(pixels + ((<usize>load<u32>(second + (x << 2))) << 2));
    const weight = v128.load64_splat(weights + (x << 3));
    v128.store(line, between(f64x2.convert_low_i32x4_s(a), f64x2.convert_low_i32x4_s(b), weight));
    v128.store(line + 16, between(lastTwo(a), lastTwo(b), weight));
  }
}

/**
 * What lies between two lines, rounded to the nearest level.
 *
 * @param weight of the lower one. @param output receives `size` x 3 bytes
 */
export function blend(upper: usize, lower: usize, weight: f64, size: usize, output: usize): void {
  const weights = f64x2.splat(weight);
  const half = f64x2.splat(0.5);
  for (const end = upper + size * EXACT; upper < end; upper += EXACT, lower += EXACT, output += 3) {
    const redGreen = f64x2.add(between(v128.load(upper), v128.load(lower), weights), half);
    const blue = f64x2.add(between(v128.load(upper + 16), v128.load(lower + 16), weights), half);
    const low = i32x4.trunc_sat_f64x2_s_zero(redGreen);
    const high = i32x4.trunc_sat_f64x2_s_zero(blue);
    storeRgb(output, v128.shuffle<i32>(low, high, 0, 1, 4, 5));
  }
}

/**
 * As `line`, in OpenCV's fixed point for bytes.
 *
 * @param weightFirst, @param weightSecond of the two pixels, with 11 bits after the point (int32)
 * @param line receives 16 bytes a column
 */
export function lineFixed(
  pixels: usize,
  first: usize,
  second: usize,
  weightFirst: usize,
  weightSecond: usize,
  size: usize,
  line: usize,
): void {
  for (let x: usize = 0; x < size; x++, line += FIXED) {
    const a = lanes(pixels + ((<usize>load<u32>(first + (x << 2))) << 2));
    const b = lanes(pixels + ((<usize>load<u32>(second + (x << 2))) << 2));
    const ofA = i32x4.mul(a, v128.load32_splat(weightFirst + (x << 2)));
    const ofB = i32x4.mul(b, v128.load32_splat(weightSecond + (x << 2)));
    v128.store(line, i32x4.add(ofA, ofB));
  }
}

/** As `blend`, of lines of `lineFixed`: their sums are cut to 16 bits before they are multiplied, as OpenCV does. */
export function blendFixed(
  upper: usize,
  lower: usize,
  weightUpper: i32,
  weightLower: i32,
  size: usize,
  output: usize,
): void {
  const ofUpper = i32x4.splat(weightUpper);
  const ofLower = i32x4.splat(weightLower);
  for (const end = upper + size * FIXED; upper < end; upper += FIXED, lower += FIXED, output += 3) {
    const first = i32x4.shr_s(i32x4.mul(i32x4.shr_s(v128.load(upper), 4), ofUpper), 16);
    const second = i32x4.shr_s(i32x4.mul(i32x4.shr_s(v128.load(lower), 4), ofLower), 16);
    storeRgb(output, i32x4.shr_s(i32x4.add(i32x4.add(first, second), i32x4.splat(2)), 2));
  }
}

/** The mean of each 2 x 2 pixels of two rows. @param output receives `size` x 3 bytes */
export function halve(upper: usize, lower: usize, size: usize, output: usize): void {
  for (const end = upper + size * 8; upper < end; upper += 8, lower += 8, output += 3) {
    const sum = i32x4.add(i32x4.add(lanes(upper), lanes(upper + 4)), i32x4.add(lanes(lower), lanes(lower + 4)));
    storeRgb(output, i32x4.shr_s(i32x4.add(sum, i32x4.splat(2)), 2));
  }
}
