import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type ReliabilityBin, reliabilityBins } from '../../../common/metrics.js';
import { reliabilitySvg } from '../../../common/plots/reliability.js';

const EMPTY: ReliabilityBin = { clips: 0, confidence: 0, accuracy: 0 };

/** Fifteen bins, of which the last is given. */
function bins(last: ReliabilityBin): ReliabilityBin[] {
  return [...Array.from({ length: 14 }, () => EMPTY), last];
}

test('reliability diagrams are a picture that can be drawn, with a title and a note each', async () => {
  const svg = reliabilitySvg([
    { title: 'before', note: 'ECE 0.2', bins: bins({ clips: 4, confidence: 0.98, accuracy: 0.5 }) },
    { title: 'after', note: 'ECE 0.1', bins: bins(EMPTY) },
  ]);
  for (const text of ['before', 'ECE 0.2', 'after', 'accuracy', 'mean probability'])
    expect(svg).toContain(`>${text}</text>`);
  expect(svg).not.toMatch(/NaN|Infinity/);
  const { width, height } = await sharp(Buffer.from(svg)).png().metadata();
  expect([width! > 700, height! > 400]).toEqual([true, true]);
});

test('a bar is as high as its share of right predictions, and empty bins have none', () => {
  const heights = (accuracy: number) =>
    [
      ...reliabilitySvg([{ title: '', note: '', bins: bins({ clips: 1, confidence: 1, accuracy }) }]).matchAll(
        /<rect [^>]*height="([\d.]+)" fill="#0072b2"/g,
      ),
    ].map(([, height]) => Number(height));
  // The second is the legend's.
  const [whole, legend] = heights(1);
  expect(heights(0.5)).toEqual([whole! / 2, legend]);
});

test('bins hold the clips by the probability of their prediction, open on the left', () => {
  const row = (probability: number) => [probability, ...Array.from({ length: 6 }, () => (1 - probability) / 6)];
  const found = reliabilityBins([row(0.9), row(0.92), row(14 / 15)], [0, 1, 0]);
  expect(found[13]).toEqual({ clips: 3, confidence: expect.closeTo((0.9 + 0.92 + 14 / 15) / 3, 12), accuracy: 2 / 3 });
  expect(found.filter(({ clips }) => clips > 0)).toHaveLength(1);
});
