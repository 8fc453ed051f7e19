import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CROP_BYTES, cropFace } from '../../preprocessing/faces/crop.js';

const SIDE = 224;

/** Bilinear interpolation by its formula, one level at a time. */
function levelAt(data: Uint8Array, width: number, height: number, x: number, y: number, channel: number): number {
  const held = (position: number, limit: number) => Math.min(limit - 1, Math.max(0, position));
  const [atX, atY] = [held(x, width), held(y, height)];
  const [left, top] = [Math.floor(atX), Math.floor(atY)];
  const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
  const level = (column: number, row: number) => data[(row * width + column) * 3 + channel]!;
  const along = (row: number) => level(left, row) + (level(right, row) - level(left, row)) * (atX - left);
  return Math.trunc(along(top) + (along(bottom) - along(top)) * (atY - top) + 0.5);
}

describe('a crop of a face', () => {
  it('is the bilinear interpolation of the box, cut at the border, rounded to the nearest level', () => {
    const side = fc.integer({ min: 2, max: 300 });
    const share = fc.double({ min: -0.2, max: 0.9, noNaN: true });
    const extent = fc.double({ min: 0.05, max: 1.3, noNaN: true });
    fc.assert(
      fc.property(side, side, share, share, extent, extent, fc.integer(), (width, height, fromX, fromY, w, h, seed) => {
        const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i + seed) * 2_654_435) >>> 3);
        const [x1, y1] = [fromX * width, fromY * height];
        const [x2, y2] = [Math.max(x1, 0) + w * width, Math.max(y1, 0) + h * height];
        const crop = new Uint8Array(CROP_BYTES + 1);
        cropFace({ data, width, height }, [x1, y1, x2, y2], crop, 1);
        const [startX, startY] = [Math.max(0, x1), Math.max(0, y1)];
        const [sizeX, sizeY] = [Math.min(width, x2) - startX, Math.min(height, y2) - startY];
        for (let i = 0; i < CROP_BYTES; i += 997) {
          const [column, row] = [Math.floor(i / 3) % SIDE, Math.floor(i / 3 / SIDE)];
          const x = startX + ((column + 0.5) * sizeX) / SIDE - 0.5;
          const y = startY + ((row + 0.5) * sizeY) / SIDE - 0.5;
          expect(crop[i + 1]).toBe(levelAt(data, width, height, x, y, i % 3));
        }
        expect(crop[0]).toBe(0);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});
