import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridSize, tiles } from '../../preprocessing/faces/proposals.js';

/** Pixels from a cell of P-Net to the next. */
const STRIDE = 2;

describe('the parts of a picture that P-Net sees', () => {
  it('give each cell of the picture once, and are no larger than asked for', () => {
    const side = fc.integer({ min: 12, max: 900 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 80 }), (width, height, most) => {
        const columns = gridSize(width);
        const seen = new Uint8Array(columns * gridSize(height));
        for (const { left, top, right, bottom } of tiles({ width, height }, most)) {
          const [across, down] = [gridSize(right - left), gridSize(bottom - top)];
          expect(Math.max(across, down)).toBeLessThanOrEqual(most);
          for (let y = 0; y < down; y++) {
            const start = (top / STRIDE + y) * columns + left / STRIDE;
            for (let x = 0; x < across; x++) seen[start + x]! += 1;
          }
        }
        expect(seen.every((times) => times === 1)).toBe(true);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('are the whole picture when there is no limit', () => {
    const whole = { left: 0, top: 0, right: 769, bottom: 433 };
    expect(tiles({ width: 769, height: 433 }, Number.POSITIVE_INFINITY)).toEqual([whole]);
  });
});
