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

/** Pixels of a rectangle from side to side. */
export function sizeOf({ left, top, right, bottom }: PixelRectangle): { width: number; height: number } {
  return { width: right - left, height: bottom - top };
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
 * What bytes of yuv420p, less their zero (16 of luma, 128 of the colour differences), are multiplied by; the product's
 * high half (>> 16) is added to a level.
 */
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
