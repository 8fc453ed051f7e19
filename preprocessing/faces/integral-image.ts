import type { RgbFrame } from '../media/rgb-frame.js';

/** A rectangle of pixels; `right` and `bottom` are exclusive. */
export interface PixelRectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const CHANNELS = 3;

/**
 * Sums of all pixels above and to the left of each corner, for each channel. The mean of any rectangle then costs four
 * look-ups, so that the whole image pyramid and all crops of a frame come from one pass over it, exactly.
 * One object serves many frames, for the sums of a frame take four times its own memory.
 */
export class IntegralImage {
  #sums = new Uint32Array(0);
  #stride = 0;
  #region: PixelRectangle = { left: 0, top: 0, right: 0, bottom: 0 };

  /**
   * Sums up a frame; what was there before is forgotten.
   *
   * @param frame at most 2^32 / 255 = 16.8 million pixels, so that the sums are exact
   * @param region the part of the frame that will be asked for
   */
  load({ data, width, height }: RgbFrame, region = { left: 0, top: 0, right: width, bottom: height }): void {
    const columns = region.right - region.left;
    const stride = (columns + 1) * CHANNELS;
    const size = stride * (region.bottom - region.top + 1);
    if (this.#sums.length < size) this.#sums = new Uint32Array(size);
    const sums = this.#sums.fill(0, 0, stride);
    let target = stride;
    for (let y = region.top; y < region.bottom; y++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let pixel = (y * width + region.left) * CHANNELS;
      sums.fill(0, target, target + CHANNELS);
      target += CHANNELS;
      for (let x = 0; x < columns; x++, pixel += CHANNELS, target += CHANNELS) {
        red += data[pixel]!;
        green += data[pixel + 1]!;
        blue += data[pixel + 2]!;
        sums[target] = sums[target - stride]! + red;
        sums[target + 1] = sums[target - stride + 1]! + green;
        sums[target + 2] = sums[target - stride + 2]! + blue;
      }
    }
    this.#stride = stride;
    this.#region = region;
  }

  /**
   * Resizes a rectangle as PyTorch's `interpolate(mode='area')` does (each output pixel is the mean of the window
   * floor(i * in / out) … ceil((i + 1) * in / out)) and normalises it to (x - 127.5) / 128.
   *
   * @param output receives (3, outHeight, outWidth) from index `offset` on
   */
  resize(source: PixelRectangle, outWidth: number, outHeight: number, output: Float32Array, offset = 0): void {
    const { left: originX, top: originY } = this.#region;
    const columns = windows(source.left - originX, source.right - originX, outWidth);
    const rows = windows(source.top - originY, source.bottom - originY, outHeight);
    const sums = this.#sums;
    const plane = outWidth * outHeight;
    let red = offset;
    let green = offset + plane;
    let blue = offset + 2 * plane;
    for (let y = 0; y < outHeight; y++) {
      const top = rows[2 * y]!;
      const bottom = rows[2 * y + 1]!;
      const upper = top * this.#stride;
      const lower = bottom * this.#stride;
      for (let x = 0; x < outWidth; x++) {
        const left = columns[2 * x]!;
        const right = columns[2 * x + 1]!;
        const area = (bottom - top) * (right - left);
        const a = upper + left * CHANNELS;
        const b = upper + right * CHANNELS;
        const c = lower + left * CHANNELS;
        const d = lower + right * CHANNELS;
        output[red++] = normalise((sums[d]! - sums[c]! - sums[b]! + sums[a]!) / area);
        output[green++] = normalise((sums[d + 1]! - sums[c + 1]! - sums[b + 1]! + sums[a + 1]!) / area);
        output[blue++] = normalise((sums[d + 2]! - sums[c + 2]! - sums[b + 2]! + sums[a + 2]!) / area);
      }
    }
  }
}

function normalise(mean: number): number {
  return (Math.fround(mean) - 127.5) * 0.0078125;
}

/** First and one-past-last input index of each output index, interleaved. */
function windows(from: number, to: number, count: number): Int32Array {
  const size = to - from;
  const result = new Int32Array(2 * count);
  for (let i = 0; i < count; i++) {
    result[2 * i] = from + Math.floor((i * size) / count);
    result[2 * i + 1] = from + Math.ceil(((i + 1) * size) / count);
  }
  return result;
}
