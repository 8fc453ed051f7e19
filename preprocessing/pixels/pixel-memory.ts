import { z } from 'zod';
import { instantiate, moduleFunction, moduleMemory, reserve } from '../../common/web-assembly.js';
import { type Picture, type PixelRectangle, sizeOf, yuvFactors } from '../media/picture.js';

const RGB_BYTES = 3;
/** R, G, B and one that means nothing. */
const PIXEL_BYTES = 4;
/** Every room begins at a multiple of so many bytes. */
const ALIGNMENT = 16;

/** What assembly/index.ts exports. */
const moduleSchema = z.object({
  memory: moduleMemory,
  ...{ pixelsOfYuv: moduleFunction, pixelsOfRgb: moduleFunction, sums: moduleFunction, areas: moduleFunction },
  ...{ line: moduleFunction, blend: moduleFunction, lineFixed: moduleFunction, blendFixed: moduleFunction },
  halve: moduleFunction,
});

/** Pixels in the memory: rows of `width`, of which the first pixel is the picture's (left, top). */
export interface Pixels {
  address: number;
  width: number;
  height: number;
  left: number;
  top: number;
}

/** Where a pixel of the picture is. */
export function pixelAddress({ address, width, left, top }: Pixels, x: number, y: number): number {
  return address + ((y - top) * width + x - left) * PIXEL_BYTES;
}

/**
 * The loops over pixels, compiled to WebAssembly, with a memory of their own, which is lent from its beginning on.
 * It is kept for many pictures, for memory costs more to get than to fill.
 */
export class PixelMemory {
  #loops: z.infer<typeof moduleSchema> | null = null;
  /** The first byte that is not lent. */
  #used = 0;

  /** Compiled when first used, for whoever only imports this pays nothing. */
  get loops(): z.infer<typeof moduleSchema> {
    this.#loops ??= instantiate('preprocessing/pixels/pixels.wasm', moduleSchema);
    return this.#loops;
  }

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
    reserve(this.loops.memory, this.#used);
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
   * @param wanted within the picture
   * @returns at least these pixels
   */
  putPixels(picture: Picture, wanted: PixelRectangle): Pixels {
    const { matrix } = picture;
    const region = matrix ? evenly(wanted) : wanted;
    const { left, top, bottom } = region;
    const size = sizeOf(region);
    const [first, u, v] = rowsOf(picture, top, bottom).map((plane) => this.put(plane));
    const address = this.room(size.width * size.height * PIXEL_BYTES);
    if (matrix) {
      const { luma, redOfV, greenOfU, greenOfV, blueOfU } = yuvFactors(matrix);
      this.loops.pixelsOfYuv(
        ...[first! + left, u! + left / 2, v! + left / 2, picture.width, size.width, size.height],
        ...[luma, redOfV, greenOfU, greenOfV, blueOfU, address],
      );
    } else {
      this.loops.pixelsOfRgb(first! + left * RGB_BYTES, picture.width, size.width, size.height, address);
    }
    return { address, left, top, ...size };
  }
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
