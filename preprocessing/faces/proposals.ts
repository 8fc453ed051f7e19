import type { Picture, PixelRectangle } from '../media/picture.js';
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

/**
 * Parts of a picture of the pyramid, of about equal size. A part has all the pixels that its cells see, so that together
 * the parts give each cell of the picture once.
 *
 * @param most cells a side of a part; Infinity for no cuts
 */
export function tiles({ width, height }: { width: number; height: number }, most: number): PixelRectangle[] {
  const columns = cuts(width, most);
  return cuts(height, most).flatMap(([top, bottom]) => columns.map(([left, right]) => ({ left, top, right, bottom })));
}

/** First and one-past-last pixel of each part of a side. */
function cuts(pixels: number, most: number): [number, number][] {
  const cells = gridSize(pixels);
  const count = Math.max(1, Math.ceil(cells / most));
  const start = (part: number) => STRIDE * Math.floor((part * cells) / count);
  return Array.from({ length: count }, (_, part) => [
    start(part),
    part < count - 1 ? start(part + 1) + CELL - STRIDE : pixels,
  ]);
}

/** The proposals of one scale in the order of their cells, which decides between equal scores. */
export function rowByRow(proposals: readonly Candidate[]): Candidate[] {
  return [...proposals].sort((a, b) => a.box[1] - b.box[1] || a.box[0] - b.box[0]);
}

/**
 * P-Net's cells above the threshold, as boxes of the whole frame.
 *
 * @param part what P-Net has seen of the picture of this scale
 */
export function readProposals(outputs: NetOutputs, scale: number, part: PixelRectangle): Candidate[] {
  const { data: probabilities, shape } = outputs('probabilities');
  const shares = outputs('boxes').data;
  const columns = shape[3]!;
  const plane = shape[2]! * columns;
  const scale32 = f(scale);
  const proposals: Candidate[] = [];
  for (let cell = 0; cell < plane; cell++) {
    const score = probabilities[plane + cell]!;
    if (score < PNET_THRESHOLD) continue;
    const x = part.left + STRIDE * (cell % columns);
    const y = part.top + STRIDE * Math.floor(cell / columns);
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
