import { z } from 'zod';
import { instantiate, moduleFunction, moduleMemory, reserve } from '../../common/web-assembly.js';
import { elementsOf, type Native, type Tensor } from './native.js';

/** Values of 8 random bits, and how many of them a 64-bit number holds. */
const LEVELS = 2 ** 8;
const PER_LONG = 8;
/** `randomMask` writes so many numbers at once. */
const BLOCK = 16;

/** What assembly/random-mask.ts exports. */
const moduleSchema = z.object({ memory: moduleMemory, randomMask: moduleFunction });
let generator: z.infer<typeof moduleSchema> | null = null;

/**
 * What dropout keeps: `value` with probability 1 - rate, else 0, from random bits that depend on the seed alone. 8 bits
 * an element decide: to draw a float for each takes four times as long. The rate of one mask is therefore a multiple of
 * 1 / 256; which of the two around `rate` it is, the seed decides as well, so that `rate` is met over all masks.
 *
 * A GPU draws its own bits, which are other ones.
 *
 * @param rate below 255 / 256
 * @returns of `shape`, the caller's to free before the next mask is made, which may be made in the same place
 */
export function keepMask(native: Native, shape: readonly number[], rate: number, seed: number, value = 1): Tensor {
  const dropped = Math.floor(rate * LEVELS + fractionOf(seed));
  if (!native.usesGpu) return drawHere(native, shape, dropped, seed, value);
  const ones = drawThere(native, shape, dropped, seed);
  return value === 1 ? ones : scaled(native, ones, value);
}

/** Draws the mask of one dropout, the same each time: `scale` for what is kept, else 0. */
export interface KeepMask {
  scale: number;
  /** The caller's to free before another mask is drawn. */
  draw(): Tensor;
}

/** Draws a mask for `use` alone; 1, which keeps all as it is, for no dropout. */
export function withMask<T>(native: Native, kept: KeepMask | null, use: (mask: Tensor) => T): T {
  if (!kept) return use(native.scalar(1));
  const mask = kept.draw();
  const result = use(mask);
  native.free(mask);
  return result;
}

/** TensorFlow's generator takes a processor several times as long. */
function drawHere(native: Native, shape: readonly number[], dropped: number, seed: number, value: number): Tensor {
  const count = elementsOf(shape);
  generator ??= instantiate('training/tensorflow/random-mask.wasm', moduleSchema);
  reserve(generator.memory, (count + BLOCK) * Float32Array.BYTES_PER_ELEMENT);
  generator.randomMask(seed, dropped, value, count, 0);
  return native.floats(shape, new Float32Array(generator.memory.buffer, 0, count));
}

function drawThere(native: Native, shape: readonly number[], dropped: number, seed: number): Tensor {
  const count = elementsOf(shape);
  const longs = Math.ceil(count / PER_LONG);
  const key = native.ints([2], Int32Array.of(seed, 0));
  const random = native.run('StatelessRandomUniformFullInt', [native.list([longs]), key], {
    dtype: { type: native.int64 },
  });
  const bytes = native.run('Bitcast', [random], { type: { type: native.int8 } });
  const flat = native.run('Reshape', [bytes, native.list([longs * PER_LONG])]);
  const exact = native.run('Slice', [flat, native.list([0]), native.list([count])]);
  const shaped = native.run('Reshape', [exact, native.list(shape)]);
  const kept = native.run('GreaterEqual', [shaped, native.byteScalar(dropped - LEVELS / 2)]);
  const ones = native.cast(kept, native.float32);
  native.free(key, random, bytes, flat, exact, shaped, kept);
  return ones;
}

/** A number from 0 to below 1, evenly spread over successive seeds (Fibonacci hashing). */
function fractionOf(seed: number): number {
  return (Math.imul(seed, 0x9e3779b1) >>> 0) / 2 ** 32;
}

/** {@link keepMask} with 1 / (1 - rate) for what is kept, so that the mean stays; a tensor of its own. */
export function dropMask(native: Native, shape: readonly number[], rate: number, seed: number): Tensor {
  return scaled(native, keepMask(native, shape, rate, seed), 1 / (1 - rate));
}

/** Frees the mask. */
function scaled(native: Native, mask: Tensor, factor: number): Tensor {
  const result = native.run('Mul', [mask, native.scalar(factor)]);
  native.free(mask);
  return result;
}
