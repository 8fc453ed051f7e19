import type { Picture } from '../media/picture.js';
import { type Box, type ScoredBox, squareBox, suppressOverlaps } from './boxes.js';
import type { NetOutputs } from './detection-net.js';

/** Each step of the image pyramid is this much smaller than the one before. */
export const PYRAMID_FACTOR = 0.6;
/** Side and stride in pixels of P-Net's receptive field. */
export const CELL = 12;
const STRIDE = 2;
const PNET_THRESHOLD = 0.6;

const f = Math.fround;

/** A place that may hold a face. */
export interface Candidate extends ScoredBox {
  shares: ArrayLike<number>;
}

/** The scales of the image pyramid, the largest first: at each P-Net sees faces of another size as large as a cell. */
export function pyramid({ width, height }: Picture, minFace: number): number[] {
  const scales: number[] = [];
  for (
    let scale = CELL / minFace, side = Math.min(width, height) * scale;
    side >= CELL;
    scale *= PYRAMID_FACTOR, side *= PYRAMID_FACTOR
  ) {
    scales.push(scale);
  }
  return scales;
}

/** The proposals of all scales, less those that overlap, moved to where P-Net says that the face is, as squares. */
export function joinProposals(proposals: readonly Candidate[]): Box[] {
  return suppressOverlaps(proposals, 0.7).map(({ box: [x1, y1, x2, y2], shares }) => {
    const [boxWidth, boxHeight] = [f(x2 - x1), f(y2 - y1)];
    return squareBox([
      f(x1 + f(shares[0]! * boxWidth)),
      f(y1 + f(shares[1]! * boxHeight)),
      f(x2 + f(shares[2]! * boxWidth)),
      f(y2 + f(shares[3]! * boxHeight)),
    ]);
  });
}

/** Cells that P-Net makes of so many pixels: 3 x 3 convolutions without padding around a pooling by two. */
export function gridSize(pixels: number): number {
  return Math.ceil((pixels - 4) / STRIDE) + 1 - 4;
}

/** P-Net's cells above the threshold, as boxes of the whole frame. */
export function readProposals(outputs: NetOutputs, scale: number): Candidate[] {
  const { data: probabilities, shape } = outputs('probabilities');
  const shares = outputs('boxes').data;
  const columns = shape[3]!;
  const plane = shape[2]! * columns;
  const scale32 = f(scale);
  const proposals: Candidate[] = [];
  for (let cell = 0; cell < plane; cell++) {
    const score = probabilities[plane + cell]!;
    if (score < PNET_THRESHOLD) continue;
    const x = STRIDE * (cell % columns);
    const y = STRIDE * Math.floor(cell / columns);
    const box: Box = [
      Math.floor(f((x + 1) / scale32)),
      Math.floor(f((y + 1) / scale32)),
      Math.floor(f((x + CELL) / scale32)),
      Math.floor(f((y + CELL) / scale32)),
    ];
    proposals.push({ box, score, shares: [0, 1, 2, 3].map((side) => shares[side * plane + cell]!) });
  }
  return proposals;
}
