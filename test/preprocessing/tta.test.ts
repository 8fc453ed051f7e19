import fs from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { softmax } from '../../common/metrics.js';
import { FACE_VARIANTS, flipFrames, temper } from '../../preprocessing/tta.js';
import { goldenFile } from './helpers.js';

const rows = z.array(z.array(z.number()));
const golden = z
  .object({ tta12: rows.length(12), temperature: z.object({ logits: rows, out: rows }) })
  .parse(JSON.parse(fs.readFileSync(goldenFile('data_pipeline.json'), 'utf8')));

it('the twelve variants of a picture are those of the reference, in its order', () => {
  const picture = Uint8Array.of(0, 1, 2, 3, 4, 5);
  for (const [index, variant] of FACE_VARIANTS.entries()) {
    const seen = Array.from(flipFrames(picture, [2, 3, 1], variant), (value) => value * variant.gain);
    // The golden is float32.
    for (const [i, value] of golden.tta12[index]!.entries()) expect(seen[i]).toBeCloseTo(value, 6);
  }
  expect(FACE_VARIANTS).toHaveLength(12);
});

it('every frame is flipped for itself, colours stay together', () => {
  const frames = Uint8Array.of(1, 2, 3, 4, 11, 12, 13, 14);
  expect([...flipFrames(frames, [2, 1, 2], { horizontal: false, vertical: true })]).toEqual([
    3, 4, 1, 2, 13, 14, 11, 12,
  ]);
  expect([...flipFrames(frames, [1, 2, 2], { horizontal: true, vertical: false })]).toEqual([
    3, 4, 1, 2, 13, 14, 11, 12,
  ]);
});

it('tempered probabilities are those of the reference', () => {
  const { logits, out } = golden.temperature;
  const tempered = temper(softmax(logits[0]!));
  // The golden is float32.
  for (const [i, value] of out[0]!.entries()) expect(tempered[i]).toBeCloseTo(value, 6);
});
