import { beforeAll, describe, expect, it } from 'vitest';
import { dropMask, keepMask } from '../../training/tensorflow/drop-mask.js';
import { Native } from '../../training/tensorflow/native.js';

describe('masks of dropout', () => {
  let native: Native;
  beforeAll(async () => {
    native = await Native.load();
  });

  function valuesOf(make: typeof keepMask, shape: readonly number[], rate: number, seed: number): Float32Array {
    const mask = make(native, shape, rate, seed);
    expect(mask.shape).toEqual(shape);
    const values = native.read(mask);
    native.free(mask);
    return values;
  }

  // The standard error over 200 masks of 4096 elements is 0.0005 at most.
  it.each([0.1, 0.35, 0.5])('drop %f of all elements', (rate) => {
    let dropped = 0;
    for (let seed = 0; seed < 200; seed++) {
      const values = valuesOf(keepMask, [64, 64], rate, seed);
      dropped += values.reduce((sum, value) => sum + (value === 0 ? 1 : 0), 0) / values.length;
    }
    expect(Math.abs(dropped / 200 - rate)).toBeLessThan(0.0025);
  });

  it('are of the seed alone, in any shape', () => {
    const values = valuesOf(keepMask, [3, 5, 7], 0.5, 9);
    expect(valuesOf(keepMask, [3, 5, 7], 0.5, 9)).toEqual(values);
    expect(valuesOf(keepMask, [3, 5, 7], 0.5, 10)).not.toEqual(values);
    expect(new Set(values)).toEqual(new Set([0, 1]));
  });

  it('give what is kept any value asked for', () => {
    const ones = keepMask(native, [100], 0.2, 3);
    const kept = native.read(ones);
    native.free(ones);
    const scaled = keepMask(native, [100], 0.2, 3, 1.25);
    expect(native.read(scaled)).toEqual(kept.map((value) => value * 1.25));
    native.free(scaled);
  });

  it('scale what is kept, so that the mean stays', () => {
    const kept = valuesOf(keepMask, [100], 0.2, 3);
    expect(valuesOf(dropMask, [100], 0.2, 3)).toEqual(kept.map((value) => value / 0.8));
  });
});
