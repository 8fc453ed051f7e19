import sharp from 'sharp';
import { expect, test } from 'vitest';
import { EMOTIONS } from '../../../common/labels.js';
import { confusionSvg } from '../../../common/plots/confusion.js';
import { curvesSvg, type Panel } from '../../../common/plots/curves.js';

const panel = (points: [number, number][]): Panel => ({
  title: 'Loss <a & b>',
  xLabel: 'epoch',
  yLabel: 'loss (nats)',
  series: [{ name: 'training', points }],
});

/** Texts of an SVG, in their order. */
function texts(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, content]) => content!);
}

test('curves name their axes and series, and are a picture that can be drawn', async () => {
  const svg = curvesSvg([panel([[1, 2], [2, 1.5], [3, 0.5]])]); // biome-ignore format: points
  expect(texts(svg)).toEqual(expect.arrayContaining(['Loss &lt;a &amp; b&gt;', 'epoch', 'loss (nats)', 'training']));
  const { width, height } = await sharp(Buffer.from(svg)).png().metadata();
  expect([width! > 400, height! > 250]).toEqual([true, true]);
});

test('ticks are round numbers around the values', () => {
  const labels = texts(curvesSvg([panel([[0, 0.52], [10, 1.93]])])); // biome-ignore format: points
  expect(labels).toEqual(expect.arrayContaining(['0.5', '1.0', '1.5', '2.0', '0', '2', '4', '6', '8', '10']));
});

test('a curve of one point, of none and with values that are not finite is drawn', async () => {
  for (const points of [
    [[1, 1]],
    [],
    [
      [1, Number.NaN],
      [2, 1],
      [3, Infinity],
    ],
  ] as [number, number][][]) {
    const svg = curvesSvg([panel(points)]);
    expect(svg).not.toMatch(/NaN|Infinity/);
    await sharp(Buffer.from(svg)).png().toBuffer();
  }
});

test('the confusion matrix shows the share of each row and the counts', () => {
  const confusion = EMOTIONS.map((_, i) => EMOTIONS.map((_, j) => (i === 0 && j < 2 ? 1 + 2 * j : 0)));
  const labels = texts(confusionSvg(confusion, EMOTIONS, 'inte'));
  expect(labels.filter((label) => label.endsWith('%') && label !== '0%')).toEqual(['25%', '75%']);
  for (const emotion of EMOTIONS) expect(labels.filter((label) => label === emotion)).toHaveLength(2);
});
