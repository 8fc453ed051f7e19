import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import { PROJECT_ROOT } from '../../common/paths.js';
import { type Picture, type PixelRectangle, yuvFactors } from '../media/picture.js';

const MODULE = path.join(PROJECT_ROOT, 'dist', 'preprocessing', 'pixels', 'pixels.wasm');
const RGB_BYTES = 3;
/** R, G, B and one that means nothing. */
export const PIXEL_BYTES = 4;
const PAGE_BYTES = 2 ** 16;
/** Every room begins at a multiple of so many bytes. */
const ALIGNMENT = 16;

const loop = z.custom<(...values: number[]) => void>((value) => typeof value === 'function');
/** What assembly/index.ts exports. */
const moduleSchema = z.object({
  memory: z.instanceof(WebAssembly.Memory),
  ...{ pixelsOfYuv: loop, pixelsOfRgb: loop, sums: loop, areas: loop },
  ...{ line: loop, blend: loop, lineFixed: loop, blendFixed: loop, halve: loop },
});

/** Pixels in the memory: rows of `width`, of which the first pixel is the picture's (left, top). */
export interface Pixels {
  address: number;
  width: number;
  left: number;
  top: number;
}

/**
 * The loops over pixels, compiled to WebAssembly, with a memory of their own, which is lent from its beginning on.
 * It is kept for many pictures, for memory costs more to get than to fill.
 */
export class PixelMemory {
  readonly loops = instantiate();
  /** The first byte that is not lent. */
  #used = 0;

  /** Takes back whatever was lent since `used` was asked for; all without it. */
  reset(used = 0): void {
    this.#used = used;
  }

  get used(): number {
    return this.#used;
  }

  /** Lends room for so many bytes; returns its address. */
  room(bytes: number): number {
    const address = Math.ceil(this.#used / ALIGNMENT) * ALIGNMENT;
    this.#used = address + bytes;
    const { memory } = this.loops;
    const missing = this.#used - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    return address;
  }

  /** Lends room for an array and copies it there. */
  put(array: Uint8Array | Int32Array | Float64Array): number {
    const address = this.room(array.byteLength);
    this.bytes(address, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return address;
  }

  /** The memory itself, not a copy; valid until more is lent. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.loops.memory.buffer, address, length);
  }

  /** As `bytes`. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.loops.memory.buffer, address, length);
  }

  /**
   * Lends room for part of a picture, and converts it. The colours of yuv420p become the bytes that ffmpeg's own
   * conversion makes on x86 (16-bit fixed point, a colour for each 2 x 2 pixels), on every machine.
   *
   * @param region within the picture
   * @returns at least these pixels
   */
  putPixels(picture: Picture, region: PixelRectangle): Pixels & { height: number } {
    const { matrix } = picture;
    const { left, top, right, bottom } = matrix ? evenly(region) : region;
    const size = { width: right - left, height: bottom - top };
    const [first, u, v] = rowsOf(picture, top, bottom).map((plane) => this.put(plane));
    if (matrix) {
      const address = this.room(size.width * size.height * PIXEL_BYTES);
      const { luma, redOfV, greenOfU, greenOfV, blueOfU } = yuvFactors(matrix);
      this.loops.pixelsOfYuv(
        ...[first! + left, u! + left / 2, v! + left / 2, picture.width, size.width, size.height],
        ...[luma, redOfV, greenOfU, greenOfV, blueOfU, address],
      );
      return { address, left, top, ...size };
    }
    const address = this.room(size.width * size.height * PIXEL_BYTES);
    this.loops.pixelsOfRgb(first! + left * RGB_BYTES, picture.width, size.width, size.height, address);
    return { address, left, top, ...size };
  }
}

let compiled: WebAssembly.Module | null = null;

/** @throws MerError missing_part when the loops are not compiled */
function instantiate(): z.infer<typeof moduleSchema> {
  if (!fs.existsSync(MODULE)) throw new MerError('missing_part', `${MODULE} is missing.`, 'Run `npm run build`.');
  compiled ??= new WebAssembly.Module(fs.readFileSync(MODULE));
  return moduleSchema.parse(new WebAssembly.Instance(compiled).exports);
}

/** The bytes of some rows of a picture, plane by plane. */
function rowsOf({ data, width, height, matrix }: Picture, top: number, bottom: number): Uint8Array[] {
  if (!matrix) return [data.subarray(top * width * RGB_BYTES, bottom * width * RGB_BYTES)];
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
