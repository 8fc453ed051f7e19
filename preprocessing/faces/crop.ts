import { CROP_SIZE } from '../features.js';
import type { Picture } from '../media/picture.js';
import { PixelMemory, pixelAddress } from '../pixels/pixel-memory.js';
import type { Box } from './boxes.js';
import { stretchRows } from './stretch-rows.js';

/** Bytes of one stored crop. */
export const CROP_BYTES = CROP_SIZE * CROP_SIZE * 3;
/** Bytes of an interpolated line: four float64 a pixel. */
const LINE_BYTES = CROP_SIZE * 32;

const memory = new PixelMemory();

/**
 * Cuts a box out of a frame and stretches it to 224 x 224 by bilinear interpolation with pixel centres at half
 * integers. The box is cut at the frame's border.
 *
 * @param output receives (224, 224, 3) RGB from index `offset` on
 */
export function cropFace(frame: Picture, box: Box, output: Uint8Array, offset: number): void {
  const columns = samplePoints(box[0], box[2], frame.width);
  const rows = samplePoints(box[1], box[3], frame.height);
  memory.reset();
  const pixels = memory.putPixels(frame, {
    ...{ left: columns.first[0]!, right: columns.second.at(-1)! + 1 },
    ...{ top: rows.first[0]!, bottom: rows.second.at(-1)! + 1 },
  });
  const [first, second] = [columns.first, columns.second].map((points) =>
    memory.put(points.map((x) => x - pixels.left)),
  );
  const weights = memory.put(columns.weight);
  const lines = [memory.room(LINE_BYTES), memory.room(LINE_BYTES)] as const;
  const crop = memory.room(CROP_BYTES);
  stretchRows(
    rows,
    lines,
    (row, line) => memory.loops.line(pixelAddress(pixels, pixels.left, row), first!, second!, weights, CROP_SIZE, line),
    (y, upper, lower) => memory.loops.blend(upper, lower, rows.weight[y]!, CROP_SIZE, crop + y * CROP_SIZE * 3),
  );
  output.set(memory.bytes(crop, CROP_BYTES), offset);
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
