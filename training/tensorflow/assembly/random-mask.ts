// AssemblyScript: random bytes, 16 at a time, and what dropout keeps by them.

/** SplitMix64 (Steele, Lea, Flood 2014), which makes states of a seed: number `index` of its sequence. */
function splitMix(seed: u64, index: u64): u64 {
  let z = seed + (index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

function rotate(x: v128, bits: i32): v128 {
  return v128.or(i64x2.shl(x, bits), i64x2.shr_u(x, 64 - bits));
}

/**
 * A mask of float32, each from 8 random bits: 0 where they are less than `dropped`, else `kept`. The bits are those of
 * two xoroshiro128++ generators (Blackman, Vigna 2021) side by side.
 *
 * @param output receives `count` numbers, filled up to a multiple of 16
 */
export function randomMask(seed: u32, dropped: u32, kept: f32, count: usize, output: usize): void {
  let s0 = i64x2(splitMix(seed, 0), splitMix(seed, 1));
  let s1 = i64x2(splitMix(seed, 2), splitMix(seed, 3));
  const threshold = i8x16.splat(<i8>dropped);
  const value = f32x4.splat(kept);
  for (const end = output + (count << 2); output < end; output += 64) {
    const random = i64x2.add(rotate(i64x2.add(s0, s1), 17), s0);
    s1 = v128.xor(s1, s0);
    s0 = v128.xor(v128.xor(rotate(s0, 49), s1), i64x2.shl(s1, 21));
    s1 = rotate(s1, 28);
    // All bits of what is kept, at each width.
    const bits = i8x16.ge_u(random, threshold);
    const low = i16x8.extend_low_i8x16_s(bits);
    const high = i16x8.extend_high_i8x16_s(bits);
    v128.store(output, v128.and(i32x4.extend_low_i16x8_s(low), value));
    v128.store(output + 16, v128.and(i32x4.extend_high_i16x8_s(low), value));
    v128.store(output + 32, v128.and(i32x4.extend_low_i16x8_s(high), value));
    v128.store(output + 48, v128.and(i32x4.extend_high_i16x8_s(high), value));
  }
}
