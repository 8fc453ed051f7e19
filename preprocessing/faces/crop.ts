import { CROP_SIZE } from '../features.js';
import type { RgbFrame } from '../media/rgb-frame.js';
import type { Box } from './boxes.js';

/** Bytes of one stored crop. */
export const CROP_BYTES = CROP_SIZE * CROP_SIZE * 3;

/**
 * Cuts a box out of a frame and stretches it to 224 x 224 by bilinear interpolation with pixel centres at half
 * integers. The box is cut at the frame's border.
 *
 * @param output receives (224, 224, 3) RGB from index `offset` on
 */
export function cropFace({ data, width, height }: RgbFrame, box: Box, output: Uint8Array, offset: number): void {
  const columns = samplePoints(box[0], box[2], width);
  const rows = samplePoints(box[1], box[3], height);
  let target = offset;
  for (let y = 0; y < CROP_SIZE; y++) {
    const upper = rows.first[y]! * width * 3;
    const lower = rows.second[y]! * width * 3;
    const weightY = rows.weight[y]!;
    for (let x = 0; x < CROP_SIZE; x++) {
      const left = columns.first[x]! * 3;
      const right = columns.second[x]! * 3;
      const weightX = columns.weight[x]!;
      for (let channel = 0; channel < 3; channel++, target++) {
        const topLeft = data[upper + left + channel]!;
        const bottomLeft = data[lower + left + channel]!;
        const top = topLeft + (data[upper + right + channel]! - topLeft) * weightX;
        const bottom = bottomLeft + (data[lower + right + channel]! - bottomLeft) * weightX;
        output[target] = top + (bottom - top) * weightY + 0.5;
      }
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
