import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import { PROJECT_ROOT } from '../../common/paths.js';
import { type Picture, type PixelRectangle, wholeOf, yuvFactors } from '../media/picture.js';

const MODULE = path.join(PROJECT_ROOT, 'dist', 'preprocessing', 'faces', 'integral.wasm');
const CHANNELS = 3;
/** Bytes of the sums of a pixel: four 32-bit integers, of which the last means nothing. */
const SUM_BYTES = 16;
const PAGE_BYTES = 2 ** 16;

const callable = z.custom<(...values: number[]) => void>((value) => typeof value === 'function');
const exportsSchema = z.object({
  memory: z.instanceof(WebAssembly.Memory),
  ...{ sumYuv: callable, sumRgb: callable, resize: callable },
});

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
  readonly #wasm = instantiate();
  #region: PixelRectangle = { left: 0, top: 0, right: 0, bottom: 0 };
  /** Where the sums begin and end in the module's memory; the picture is in front of them. */
  #sums = { from: 0, to: 0 };

  /**
   * Sums up a frame; what was there before is forgotten.
   *
   * @param region the part of the frame that will be asked for
   */
  load(frame: Picture, region = wholeOf(frame)): void {
    const { left, top, right, bottom } = frame.matrix ? evenly(region) : region;
    const columns = right - left;
    const rows = bottom - top;
    const planes = rowsOf(frame, top, bottom);
    const places: number[] = [];
    let end = 0;
    for (const plane of planes) {
      places.push(end);
      end += plane.length;
    }
    const sums = aligned(end);
    this.#reserve(sums + (columns + 1) * (rows + 1) * SUM_BYTES);
    const memory = new Uint8Array(this.#wasm.memory.buffer);
    for (const [i, plane] of planes.entries()) memory.set(plane, places[i]!);
    const [first, u, v] = places;
    if (frame.matrix) {
      const { luma, redOfV, greenOfU, greenOfV, blueOfU } = yuvFactors(frame.matrix);
      const colours = [u! + left / 2, v! + left / 2];
      const factors = [luma, redOfV, greenOfU, greenOfV, blueOfU];
      this.#wasm.sumYuv(first! + left, ...colours, frame.width, columns, rows, ...factors, sums);
    } else {
      this.#wasm.sumRgb(first! + left * CHANNELS, frame.width, columns, rows, sums);
    }
    this.#region = { left, top, right, bottom };
    this.#sums = { from: sums, to: sums + (columns + 1) * (rows + 1) * SUM_BYTES };
  }

  /**
   * Resizes rectangles as PyTorch's `interpolate(mode='area')` does (each output pixel is the mean of the window
   * floor(i * in / out) … ceil((i + 1) * in / out)) and normalises them to (x - 127.5) / 128.
   *
   * @param views within the region that was loaded
   * @returns one after another (3, height, width) of each; valid until the next call
   */
  resize(views: readonly ResizedView[]): Float32Array {
    const { left: originX, top: originY, right } = this.#region;
    const parts = views.map(({ width, height, part }) => part ?? wholeOf({ width, height }));
    const floats = parts.map((part) => CHANNELS * (part.right - part.left) * (part.bottom - part.top));
    const windows = this.#sums.to;
    const output = aligned(windows + 8 * Math.max(0, ...parts.map((part) => part.right - part.left)));
    const length = floats.reduce((sum, count) => sum + count, 0);
    this.#reserve(output + 4 * length);
    let target = output;
    for (const [i, { source, width, height }] of views.entries()) {
      const part = parts[i]!;
      this.#wasm.resize(
        ...[this.#sums.from, right - originX, source.left - originX, source.top - originY],
        ...[source.right - source.left, source.bottom - source.top, width, height],
        ...[part.left, part.top, part.right - part.left, part.bottom - part.top, windows, target],
      );
      target += 4 * floats[i]!;
    }
    return new Float32Array(this.#wasm.memory.buffer, output, length);
  }

  #reserve(bytes: number): void {
    const { memory } = this.#wasm;
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  }
}

let compiled: WebAssembly.Module | null = null;

/** The loops over pixels, with a memory of their own. @throws MerError missing_part when they are not compiled */
function instantiate(): z.infer<typeof exportsSchema> {
  if (!fs.existsSync(MODULE)) throw new MerError('missing_part', `${MODULE} is missing.`, 'Run `npm run build`.');
  compiled ??= new WebAssembly.Module(fs.readFileSync(MODULE));
  return exportsSchema.parse(new WebAssembly.Instance(compiled).exports);
}

/** The bytes of some rows of a picture, plane by plane. */
function rowsOf({ data, width, height, matrix }: Picture, top: number, bottom: number): Uint8Array[] {
  if (!matrix) return [data.subarray(top * width * CHANNELS, bottom * width * CHANNELS)];
  const size = width * height;
  return [
    data.subarray(top * width, bottom * width),
    ...[size, (size * 5) / 4].map((plane) => data.subarray(plane + (top * width) / 4, plane + (bottom * width) / 4)),
  ];
}

/** The smallest rectangle around one whose sides are even numbers: 2 x 2 pixels of yuv420p share a colour. */
function evenly({ left, top, right, bottom }: PixelRectangle): PixelRectangle {
  return { left: left - (left % 2), top: top - (top % 2), right: right + (right % 2), bottom: bottom + (bottom % 2) };
}

function aligned(address: number): number {
  return Math.ceil(address / SUM_BYTES) * SUM_BYTES;
}
