import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FlatVariable } from '../../training/tensorflow/flat-variable.js';
import { Native } from '../../training/tensorflow/native.js';

describe('a decaying vector', () => {
  let native: Native;
  beforeAll(async () => {
    native = await Native.load();
  });

  function changed(values: Float32Array, change: (vector: FlatVariable) => void): Float32Array {
    const start = native.floats([values.length], Float32Array.from(values));
    const vector = new FlatVariable(native, start);
    change(vector);
    const end = vector.read();
    const result = native.read(end);
    native.free(start, end);
    vector.dispose();
    return result;
  }

  /** The pass that a small share leaves out. */
  function pass(vector: FlatVariable, share: number): void {
    const values = vector.read();
    vector.addScaled(values, -share);
    native.free(values);
  }

  it('stays what it is at shares that are lost in rounding, as the pass over it would leave it', () => {
    const anyFloats = fc.float32Array({ minLength: 1, maxLength: 64, noNaN: true, noDefaultInfinity: true });
    // TensorFlow's kernels take subnormal numbers for zero.
    const floats = anyFloats.map((values) => values.map((value) => (Math.abs(value) < 2 ** -126 ? 0 : value)));
    const shares = fc.double({ min: 0, max: 2 ** -25, maxExcluded: true, noNaN: true });
    const property = (values: Float32Array, share: number) => {
      expect(changed(values, (vector) => pass(vector, share))).toEqual(values);
      expect(changed(values, (vector) => vector.decay(share))).toEqual(values);
    };
    fc.assert(fc.property(floats, shares, property));
  });

  it('loses its share otherwise', () => {
    const values = Float32Array.of(1, -2, 1000, 0);
    expect(changed(values, (vector) => vector.decay(0.25))).toEqual(values.map((value) => 0.75 * value));
    const least = changed(values, (vector) => vector.decay(2 ** -23));
    expect(least[0]).toBe(1 - 2 ** -23);
  });
});
