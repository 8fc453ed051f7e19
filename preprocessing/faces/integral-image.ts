import { type Picture, type PixelRectangle, RgbReader, wholeOf } from '../media/picture.js';

const CHANNELS = 3;

/**
 * Sums of all pixels above and to the left of each corner, for each channel. The mean of any rectangle then costs four
 * look-ups, so that the whole image pyramid and all crops of a frame come from one pass over it, exactly.
 * One object serves many frames, for the sums of a frame take four times its own memory.
 *
 * Sums are 32-bit integers that wrap around: the difference of four of them is exact all the same, as long as what is
 * asked for is less than 2^31 / 255 = 8.4 million pixels.
 */
export class IntegralImage {
  readonly #reader = new RgbReader();
  #sums = new Int32Array(0);
  #stride = 0;
  #region: PixelRectangle = { left: 0, top: 0, right: 0, bottom: 0 };

  /**
   * Sums up a frame; what was there before is forgotten.
   *
   * @param region the part of the frame that will be asked for
   */
  load(frame: Picture, region = wholeOf(frame)): void {
    const { data, width, left, top } = this.#reader.read(frame, region);
    const columns = region.right - region.left;
    const stride = (columns + 1) * CHANNELS;
    const size = stride * (region.bottom - region.top + 1);
    if (this.#sums.length < size) this.#sums = new Int32Array(size);
    const sums = this.#sums.fill(0, 0, stride);
    let target = stride;
    for (let y = region.top; y < region.bottom; y++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let pixel = ((y - top) * width + region.left - left) * CHANNELS;
      sums.fill(0, target, target + CHANNELS);
      target += CHANNELS;
      for (let x = 0; x < columns; x++, pixel += CHANNELS, target += CHANNELS) {
        red = (red + data[pixel]!) | 0;
        green = (green + data[pixel + 1]!) | 0;
        blue = (blue + data[pixel + 2]!) | 0;
        const above = target - stride;
        sums[target] = (sums[above]! + red) | 0;
        sums[target + 1] = (sums[above + 1]! + green) | 0;
        sums[target + 2] = (sums[above + 2]! + blue) | 0;
      }
    }
    this.#stride = stride;
    this.#region = region;
  }

  /**
   * Resizes a rectangle as PyTorch's `interpolate(mode='area')` does (each output pixel is the mean of the window
   * floor(i * in / out) … ceil((i + 1) * in / out)) and normalises it to (x - 127.5) / 128.
   *
   * @param output receives (3, outHeight, outWidth), or only the `part` of it
   */
  resize(
    source: PixelRectangle,
    { width: outWidth, height: outHeight }: { width: number; height: number },
    output: Float32Array,
    part: PixelRectangle = wholeOf({ width: outWidth, height: outHeight }),
  ): void {
    const { left: originX, top: originY } = this.#region;
    const columns = windows(source.left - originX, source.right - originX, outWidth, part.left, part.right);
    const rows = windows(source.top - originY, source.bottom - originY, outHeight, part.top, part.bottom);
    const sums = this.#sums;
    const partWidth = part.right - part.left;
    const partHeight = part.bottom - part.top;
    const plane = partWidth * partHeight;
    let red = 0;
    let green = plane;
    let blue = 2 * plane;
    for (let y = 0; y < partHeight; y++) {
      const height = rows[2 * y + 1]! - rows[2 * y]!;
      const upper = rows[2 * y]! * this.#stride;
      const lower = rows[2 * y + 1]! * this.#stride;
      for (let x = 0; x < partWidth; x++) {
        const left = columns[2 * x]! * CHANNELS;
        const right = columns[2 * x + 1]! * CHANNELS;
        const share = CHANNELS / (height * (right - left));
        const a = upper + left;
        const b = upper + right;
        const c = lower + left;
        const d = lower + right;
        output[red++] = normalise(((sums[d]! - sums[c]!) | 0) - ((sums[b]! - sums[a]!) | 0), share);
        output[green++] = normalise(((sums[d + 1]! - sums[c + 1]!) | 0) - ((sums[b + 1]! - sums[a + 1]!) | 0), share);
        output[blue++] = normalise(((sums[d + 2]! - sums[c + 2]!) | 0) - ((sums[b + 2]! - sums[a + 2]!) | 0), share);
      }
    }
  }
}

/** @param sum of a window, modulo 2^32. @param share one over its pixels */
function normalise(sum: number, share: number): number {
  return (Math.fround((sum | 0) * share) - 127.5) * 0.0078125;
}

/** First and one-past-last input index of each of the `count` output indices from `first` to before `end`, interleaved. */
function windows(from: number, to: number, count: number, first: number, end: number): Int32Array {
  const size = to - from;
  const result = new Int32Array(2 * (end - first));
  for (let i = first, target = 0; i < end; i++) {
    result[target++] = from + Math.floor((i * size) / count);
    result[target++] = from + Math.ceil(((i + 1) * size) / count);
  }
  return result;
}
