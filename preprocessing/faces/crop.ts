import { CROP_SIZE } from '../features.js';
import { type Picture, RgbReader } from '../media/picture.js';
import type { Box } from './boxes.js';

/** Bytes of one stored crop. */
export const CROP_BYTES = CROP_SIZE * CROP_SIZE * 3;

const reader = new RgbReader();

/**
 * Cuts a box out of a frame and stretches it to 224 x 224 by bilinear interpolation with pixel centres at half
 * integers. The box is cut at the frame's border.
 *
 * @param output receives (224, 224, 3) RGB from index `offset` on
 */
export function cropFace(frame: Picture, box: Box, output: Uint8Array, offset: number): void {
  const columns = samplePoints(box[0], box[2], frame.width);
  const rows = samplePoints(box[1], box[3], frame.height);
  const { data, width, left, top } = reader.read(frame, {
    ...{ left: columns.first[0]!, right: columns.second.at(-1)! + 1 },
    ...{ top: rows.first[0]!, bottom: rows.second.at(-1)! + 1 },
  });
  let upper = { row: -1, values: new Float64Array(CROP_SIZE * 3) };
  let lower = { row: -1, values: new Float64Array(CROP_SIZE * 3) };
  const fill = (line: typeof upper, row: number) => {
    line.row = row;
    const { values } = line;
    const origin = ((row - top) * width - left) * 3;
    for (let x = 0, i = 0; x < CROP_SIZE; x++) {
      const first = origin + columns.first[x]! * 3;
      const second = origin + columns.second[x]! * 3;
      const weight = columns.weight[x]!;
      for (let channel = 0; channel < 3; channel++, i++) {
        const value = data[first + channel]!;
        values[i] = value + (data[second + channel]! - value) * weight;
      }
    }
  };
  for (let y = 0, target = offset; y < CROP_SIZE; y++) {
    // The lower row of one line is often the upper row of the next.
    if (lower.row === rows.first[y]) [upper, lower] = [lower, upper];
    if (upper.row !== rows.first[y]) fill(upper, rows.first[y]!);
    if (lower.row !== rows.second[y]) fill(lower, rows.second[y]!);
    const [top, bottom] = [upper.values, lower.values];
    const weight = rows.weight[y]!;
    for (let i = 0; i < CROP_SIZE * 3; i++, target++) {
      output[target] = top[i]! + (bottom[i]! - top[i]!) * weight + 0.5;
    }
  }
}

/** For each output pixel the two input pixels around it and the weight of the second. */
function samplePoints(from: number, to: number, limit: number) {
  const start = Math.max(0, from);
  const size = Math.min(limit, to) - start;
  const first = new Int32Array(CROP_SIZE);
  const second = new Int32Array(CROP_SIZE);
  const weight = new Float64Array(CROP_SIZE);
  for (let i = 0; i < CROP_SIZE; i++) {
    const position = Math.min(limit - 1, Math.max(0, start + ((i + 0.5) * size) / CROP_SIZE - 0.5));
    first[i] = Math.floor(position);
    second[i] = Math.min(limit - 1, first[i]! + 1);
    weight[i] = position - first[i]!;
  }
  return { first, second, weight };
}
