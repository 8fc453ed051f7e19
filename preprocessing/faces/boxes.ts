/** x1, y1, x2, y2 in pixels of the frame. */
export type Box = [number, number, number, number];

export interface ScoredBox {
  box: Box;
  score: number;
}

const f = Math.fround;

/**
 * Non-maximum suppression over plain intersection / union (torchvision `nms`), in float32 as torch computes it.
 *
 * @returns the boxes that stay, the highest score first
 */
export function suppressOverlaps<T extends ScoredBox>(boxes: readonly T[], threshold: number): T[] {
  const area = ({ box: [x1, y1, x2, y2] }: ScoredBox) => f(f(x2 - x1) * f(y2 - y1));
  return suppress(boxes, (kept, other) => {
    const width = Math.max(0, f(Math.min(kept.box[2], other.box[2]) - Math.max(kept.box[0], other.box[0])));
    const height = Math.max(0, f(Math.min(kept.box[3], other.box[3]) - Math.max(kept.box[1], other.box[1])));
    const overlap = f(width * height);
    if (overlap === 0) return false;
    return f(overlap / f(f(area(kept) + area(other)) - overlap)) > threshold;
  });
}

/**
 * The cascade's last suppression: intersection over the smaller of the two areas, sides counted with one pixel more.
 * Of equal scores the later one wins, as NumPy sorts them: two squares that cut out the same pixels have equal ones.
 */
export function suppressContained<T extends ScoredBox>(boxes: readonly T[], threshold: number): T[] {
  const area = ({ box: [x1, y1, x2, y2] }: ScoredBox) => (x2 - x1 + 1) * (y2 - y1 + 1);
  return suppress([...boxes].reverse(), (kept, other) => {
    const width = Math.max(0, Math.min(kept.box[2], other.box[2]) - Math.max(kept.box[0], other.box[0]) + 1);
    const height = Math.max(0, Math.min(kept.box[3], other.box[3]) - Math.max(kept.box[1], other.box[1]) + 1);
    return (width * height) / Math.min(area(kept), area(other)) > threshold;
  });
}

function suppress<T extends ScoredBox>(boxes: readonly T[], overlaps: (kept: T, other: T) => boolean): T[] {
  let left = [...boxes].sort((a, b) => b.score - a.score);
  const kept: T[] = [];
  for (let best = left[0]; best; best = left[0]) {
    kept.push(best);
    const winner = best;
    left = left.slice(1).filter((other) => !overlaps(winner, other));
  }
  return kept;
}

/** Intersection over union of two boxes. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const overlap = width * height;
  return overlap / (boxArea(a) + boxArea(b) - overlap);
}

export function boxArea([x1, y1, x2, y2]: Box): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
}

/** The square of the longer side around a box's centre, computed in float32 as facenet-pytorch's `rerec`. */
export function squareBox([x1, y1, x2, y2]: Box): Box {
  const width = f(x2 - x1);
  const height = f(y2 - y1);
  const side = Math.max(width, height);
  const left = f(f(x1 + f(width * 0.5)) - f(side * 0.5));
  const top = f(f(y1 + f(height * 0.5)) - f(side * 0.5));
  return [left, top, f(left + side), f(top + side)];
}

/** Moves each side by its share of the box's size (sides counted with one pixel more): `bbreg`, in float32. */
export function regressBox([x1, y1, x2, y2]: Box, shares: ArrayLike<number>, offset: number): Box {
  const width = f(f(x2 - x1) + 1);
  const height = f(f(y2 - y1) + 1);
  return [
    f(x1 + f(shares[offset]! * width)),
    f(y1 + f(shares[offset + 1]! * height)),
    f(x2 + f(shares[offset + 2]! * width)),
    f(y2 + f(shares[offset + 3]! * height)),
  ];
}
