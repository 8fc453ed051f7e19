import type { Native, Tensor } from './native.js';

/** Values of 16 random bits, and how many of them a 64-bit number holds. */
const LEVELS = 2 ** 16;
const PER_LONG = 4;

/**
 * A mask of dropout: 1 / (1 - rate) with probability 1 - rate, else 0, from random bits that depend on the seed alone.
 * 16 bits an element decide (the rate is met to 1 / 65536): a uniform float for each would take twice the time.
 *
 * @returns of `shape`, the caller's to free
 */
export function dropMask(native: Native, shape: readonly number[], rate: number, seed: number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const longs = Math.ceil(count / PER_LONG);
  const key = native.ints([2], Int32Array.of(seed, 0));
  const random = native.run('StatelessRandomUniformFullInt', [native.list([longs]), key], {
    dtype: { type: native.int64 },
  });
  const quarters = native.run('Bitcast', [random], { type: { type: native.int16 } });
  const flat = native.run('Reshape', [quarters, native.list([longs * PER_LONG])]);
  const exact = native.run('Slice', [flat, native.list([0]), native.list([count])]);
  const shaped = native.run('Reshape', [exact, native.list(shape)]);
  const dropped = Math.round(rate * LEVELS);
  const kept = native.run('GreaterEqual', [shaped, native.shortScalar(dropped - LEVELS / 2)]);
  const ones = native.cast(kept, native.float32);
  const mask = native.run('Mul', [ones, native.scalar(1 / (1 - rate))]);
  native.free(key, random, quarters, flat, exact, shaped, kept, ones);
  return mask;
}
