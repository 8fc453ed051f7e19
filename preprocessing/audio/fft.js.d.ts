declare module 'fft.js' {
  /** Radix-4 complex FFT; complex arrays interleave real and imaginary parts. */
  export default class FFT {
    constructor(size: number);
    /** Fills `out` (2 * size) with the bins 0..size/2 of a real signal; the rest of it is undefined. */
    realTransform(out: Float64Array, data: ArrayLike<number>): void;
  }
}
