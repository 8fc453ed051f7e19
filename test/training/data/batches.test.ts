import { expect, test } from 'vitest';
import { Random } from '../../../common/random.js';
import { dropModalities } from '../../../training/data/batches.js';

test('modality dropout always leaves a clip one modality, and takes none with probability 0', () => {
  const presence = new Float32Array(300).fill(1);
  dropModalities(presence, 1, new Random(1));
  for (let clip = 0; clip < 100; clip++) {
    const left = presence.subarray(3 * clip, 3 * clip + 3).reduce((a, b) => a + b, 0);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(3);
  }
  const untouched = new Float32Array(30).fill(1);
  dropModalities(untouched, 0, new Random(1));
  expect(untouched.every((value) => value === 1)).toBe(true);
});
