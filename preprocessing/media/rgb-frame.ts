/** One decoded video frame: row-major (height, width, 3) RGB. */
export interface RgbFrame {
  data: Uint8Array;
  width: number;
  height: number;
}
