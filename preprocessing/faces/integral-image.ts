import { type Picture, type PixelRectangle, sizeOf, wholeOf } from '../media/picture.js';
import { PixelMemory } from '../pixels/pixel-memory.js';

const CHANNELS = 3;
/** Bytes of the sums of a pixel: four 32-bit integers, of which the last means nothing. */
const SUM_BYTES = 16;
const FLOAT_BYTES = 4;
/** Bytes of a column's window. */
const WINDOW_BYTES = 8;

/** A rectangle of a picture, resized to so many pixels, or only a part of that. */
export interface ResizedView {
  source: PixelRectangle;
  width: number;
  height: number;
  part?: PixelRectangle;
}

/**
 * Sums of all pixels above and to the left of each corner, for each channel. The mean of any rectangle then costs four
 * look-ups, so that the whole image pyramid and all crops of a frame come from one pass over it, exactly.
 * One object serves many frames, for the sums of a frame take many times its own memory.
 *
 * Sums are 32-bit integers that wrap around: the difference of four of them is exact all the same, as long as what is
 * asked for is less than 2^31 / 255 = 8.4 million pixels.
 */
export class IntegralImage {
  readonly #memory = new PixelMemory();
  /** Where the sums are, of how many columns and from which pixel on; from `end` on the memory is free. */
  #sums = { address: 0, columns: 0, left: 0, top: 0, end: 0 };

  /**
   * Sums up a frame; what was there before is forgotten.
   *
   * @param region the part of the frame that will be asked for
   */
  load(frame: Picture, region = wholeOf(frame)): void {
    this.#memory.reset();
    const { address: pixels, width, height, left, top } = this.#memory.putPixels(frame, region);
    const address = this.#memory.room((width + 1) * (height + 1) * SUM_BYTES);
    this.#memory.loops.sums(pixels, width, height, address);
    this.#sums = { address, columns: width, left, top, end: this.#memory.used };
  }

  /**
   * Resizes rectangles as PyTorch's `interpolate(mode='area')` does (each output pixel is the mean of the window
   * floor(i * in / out) … ceil((i + 1) * in / out)) and normalises them to (x - 127.5) / 128.
   *
   * @param views within the region that was loaded
   * @returns one after another (3, height, width) of each; valid until the next call
   */
  resize(views: readonly ResizedView[]): Float32Array {
    const { address, columns, left, top, end } = this.#sums;
    const parts = views.map(({ source, width, height, part = wholeOf({ width, height }) }) => {
      const size = sizeOf(part);
      return { source, out: [width, height], part, ...size, floats: CHANNELS * size.width * size.height };
    });
    const length = parts.reduce((sum, { floats }) => sum + floats, 0);
    this.#memory.reset(end);
    const windows = this.#memory.room(WINDOW_BYTES * Math.max(0, ...parts.map(({ width }) => width)));
    const output = this.#memory.room(FLOAT_BYTES * length);
    let target = output;
    for (const { source, out, part, width, height, floats } of parts) {
      this.#memory.loops.areas(
        ...[address, columns, source.left - left, source.top - top],
        ...[source.right - source.left, source.bottom - source.top, ...out],
        ...[part.left, part.top, width, height, windows, target],
      );
      target += FLOAT_BYTES * floats;
    }
    return this.#memory.floats(output, length);
  }
}
