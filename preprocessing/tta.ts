/** One way of looking at a clip's face frames again in test-time augmentation. */
export interface FaceVariant {
  /** Left and right exchanged. */
  horizontal: boolean;
  /** Top and bottom exchanged. */
  vertical: boolean;
  /** Factor on the pixels after their normalisation. */
  gain: number;
}

/** The twelve variants of the reference, in its order: {none, flip} x {none, flip} x three factors. */
export const FACE_VARIANTS: readonly FaceVariant[] = [false, true].flatMap((horizontal) =>
  [false, true].flatMap((vertical) => [0.9, 1, 1.1].map((gain) => ({ horizontal, vertical, gain }))),
);

/** Power that probabilities are raised to before they are averaged over variants and models. */
const EXPONENT = 0.1;

/**
 * The flips of a variant; its gain acts after the normalisation, which is part of the network.
 *
 * @param data row-major (frames, height, width, channels); not changed
 */
export function flipFrames(
  data: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
  { horizontal, vertical }: Pick<FaceVariant, 'horizontal' | 'vertical'>,
): Uint8Array {
  const flipped = new Uint8Array(data.length);
  const rows = data.length / (width * channels);
  for (let row = 0; row < rows; row++) {
    const y = row % height;
    const target = row - y + (vertical ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const pixel = (row * width + x) * channels;
      flipped.set(
        data.subarray(pixel, pixel + channels),
        (target * width + (horizontal ? width - 1 - x : x)) * channels,
      );
    }
  }
  return flipped;
}

/**
 * Probabilities to the power of 0.1, made to sum to 1 again: so flattened, a variant that is very sure of itself
 * counts little more than one that is not.
 */
export function temper(probabilities: readonly number[]): number[] {
  const powers = probabilities.map((value) => value ** EXPONENT);
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}
