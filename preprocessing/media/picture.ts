export const YUV_MATRICES = ['bt601', 'bt709'] as const;
/** How the colours of a picture were made of red, green and blue. */
export type YuvMatrix = (typeof YUV_MATRICES)[number];

/**
 * One decoded picture, as the decoder gave it: row-major (height, width, 3) RGB, or with a `matrix` the planes of
 * yuv420p (8 bits, limited range) one after another: Y (height, width), U and V (height / 2, width / 2), sides even.
 */
export interface Picture {
  data: Uint8Array;
  width: number;
  height: number;
  matrix?: YuvMatrix | null;
}

/** A rectangle of pixels; `right` and `bottom` are exclusive. */
export interface PixelRectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** All of a picture. */
export function wholeOf({ width, height }: { width: number; height: number }): PixelRectangle {
  return { left: 0, top: 0, right: width, bottom: height };
}

/** Part of a picture as RGB: rows of `width` pixels of 3 bytes, of which the first is the picture's pixel (left, top). */
export interface RgbPatch {
  data: Uint8Array;
  width: number;
  left: number;
  top: number;
}

type Matrix = Record<'redOfV' | 'greenOfU' | 'greenOfV' | 'blueOfU', number>;

/**
 * Shares of the colour differences in red, green and blue (ITU-T H.273, matrix coefficients 5 and 1), with 16 bits
 * after the point, scaled to the limited range.
 */
const MATRICES: Readonly<Record<YuvMatrix, Matrix>> = {
  bt601: { redOfV: 104_597, greenOfU: -25_675, greenOfV: -53_279, blueOfU: 132_201 },
  bt709: { redOfV: 117_489, greenOfU: -13_975, greenOfV: -34_925, blueOfU: 138_438 },
};
/** Of luma, for black is 16 and white 235. */
const LUMA = Math.floor((255 * 2 ** 16) / 219);
const BLACK = 16;
const NO_COLOUR = 128;

/** Bytes of a picture. */
export function pictureBytes({ width, height, matrix }: Omit<Picture, 'data'>): number {
  return matrix ? (width * height * 3) / 2 : width * height * 3;
}

/**
 * What the decoder put out as a picture of so many pixels. Null for one that was cut short, or has another size: a
 * stream may change it on the way.
 */
export function toPicture(
  data: Uint8Array,
  { width, height }: { width: number; height: number },
  matrix: YuvMatrix | null,
): Picture | null {
  const shape = { width, height, matrix };
  return data.length === pictureBytes(shape) ? { data, ...shape } : null;
}

/**
 * Reads parts of pictures as RGB. A picture travels from the decoder as yuv420p, half the bytes of RGB, and of most
 * pictures only the face is ever looked at. The bytes are those that ffmpeg's own conversion makes on x86 (16-bit
 * fixed point, a colour for each 2 x 2 pixels), on every machine.
 */
export class RgbReader {
  #room = new Uint8ClampedArray(0);

  /**
   * @param region within the picture
   * @returns at least these pixels; valid until the next call
   */
  read({ data, width, height, matrix }: Picture, { left, top, right, bottom }: PixelRectangle): RgbPatch {
    if (!matrix) return { data, width, left: 0, top: 0 };
    const table = TABLES[matrix];
    // Two neighbours share a colour.
    const start = left - (left % 2);
    const columns = right + (right % 2) - start;
    const size = columns * (bottom - top) * 3;
    if (this.#room.length < size) this.#room = new Uint8ClampedArray(size);
    const room = this.#room;
    let target = 0;
    for (let y = top; y < bottom; y++) {
      let luma = y * width + start;
      let u = width * height + ((y >> 1) * width + start) / 2;
      let v = u + (width * height) / 4;
      for (const end = target + columns * 3; target < end; target += 6, luma += 2, u++, v++) {
        const red = table.redOfV[data[v]!]!;
        const green = table.greenOfU[data[u]!]! + table.greenOfV[data[v]!]!;
        const blue = table.blueOfU[data[u]!]!;
        const first = table.luma[data[luma]!]!;
        const second = table.luma[data[luma + 1]!]!;
        room[target] = first + red;
        room[target + 1] = first + green;
        room[target + 2] = first + blue;
        room[target + 3] = second + red;
        room[target + 4] = second + green;
        room[target + 5] = second + blue;
      }
    }
    return { data: new Uint8Array(room.buffer), width: columns, left: start, top };
  }
}

/** What bytes of yuv420p, less their zero, are multiplied by; the high half of the product (>> 16) is added to a level. */
export interface YuvFactors extends Matrix {
  luma: number;
}

/** The factors as ffmpeg has them: its bytes are widened by 3 bits, and its factors lose 3 for that. */
export function yuvFactors(matrix: YuvMatrix): YuvFactors {
  const { redOfV, greenOfU, greenOfV, blueOfU } = MATRICES[matrix];
  const round = (factor: number) => 8 * Math.round(factor / 8);
  return {
    ...{ luma: round(LUMA), redOfV: round(redOfV), greenOfU: round(greenOfU) },
    ...{ greenOfV: round(greenOfV), blueOfU: round(blueOfU) },
  };
}

function createTables(matrix: YuvMatrix) {
  const { luma, redOfV, greenOfU, greenOfV, blueOfU } = yuvFactors(matrix);
  const table = (factor: number, zero: number) =>
    Int16Array.from({ length: 256 }, (_, byte) => ((byte - zero) * factor) >> 16);
  return {
    luma: table(luma, BLACK),
    redOfV: table(redOfV, NO_COLOUR),
    greenOfU: table(greenOfU, NO_COLOUR),
    greenOfV: table(greenOfV, NO_COLOUR),
    blueOfU: table(blueOfU, NO_COLOUR),
  };
}

/** What each byte adds to a colour. */
const TABLES = { bt601: createTables('bt601'), bt709: createTables('bt709') };
