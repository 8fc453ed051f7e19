import type { Compat } from '../common/bundle.js';

/** Face frames that a network trained with compat seed sees of a clip, where nothing is random. */
export const SEED_FRAMES = { evaluation: 16, submission: 32 } as const;
/** Words that compat seed pads every sentence to. */
export const SEED_WORDS = 38;
/** Crops that compat seed leaves out at each end of a clip. */
const END_FRAMES = 10;

/**
 * The crops that compat seed chooses from: without the first and the last ten, or all where no other is left.
 *
 * @returns index of the first one, and one past the last
 */
export function seedFrameRange(count: number): { start: number; end: number } {
  return count > 2 * END_FRAMES ? { start: END_FRAMES, end: count - END_FRAMES } : { start: 0, end: count };
}

/** `wanted` indices below `count` at even strides from the first on, as the reference takes them; all when there are fewer. */
export function stridedIndices(count: number, wanted: number): number[] {
  const stride = Math.max(1, Math.floor(count / wanted));
  return Array.from({ length: Math.min(count, wanted) }, (_, i) => i * stride);
}

/**
 * Chosen items of a row-major array (items, ...), preceded by as many items of zeros as are missing of `wanted`:
 * compat seed pads face frames on the left and counts the padding as data.
 */
export function takeLeftPadded(
  data: Uint8Array,
  itemSize: number,
  indices: readonly number[],
  wanted: number,
): Uint8Array {
  const taken = new Uint8Array(wanted * itemSize);
  for (const [position, index] of indices.entries()) {
    const source = data.subarray(index * itemSize, (index + 1) * itemSize);
    taken.set(source, (wanted - indices.length + position) * itemSize);
  }
  return taken;
}

/**
 * Where `length` real items stand among `size`: at the start, or in compat seed in the middle, the smaller half of the
 * padding before them.
 */
export function paddingBefore(length: number, size: number, compat: Compat): number {
  return compat === 'seed' ? Math.floor((size - length) / 2) : 0;
}
