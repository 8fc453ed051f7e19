import { svgDocument, svgRectangle, svgText } from './svg.js';

const CELL = 58;
const LEFT = 84;
const TOP = 84;
const WHITE = [255, 255, 255] as const;
const BLUE = [0, 90, 160] as const;

/**
 * A confusion matrix as a picture: each cell shows the share of its row (in per cent) and the count, and is as dark as
 * that share.
 * @param confusion confusion[label][prediction], counts
 * @param names of the classes, in the order of the matrix
 */
export function confusionSvg(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
  title: string,
): string {
  const width = LEFT + names.length * CELL + 24;
  const height = TOP + names.length * CELL + 20;
  const middle = LEFT + (names.length * CELL) / 2;
  const parts = [
    svgText(middle, 24, title, { anchor: 'middle', size: 14, bold: true }),
    svgText(middle, 50, 'prediction', { anchor: 'middle' }),
    svgText(20, TOP + (names.length * CELL) / 2, 'label', { anchor: 'middle', rotate: -90 }),
  ];
  for (const [label, counts] of confusion.entries()) {
    const clips = counts.reduce((sum, count) => sum + count, 0);
    const y = TOP + label * CELL;
    parts.push(svgText(LEFT + (label + 0.5) * CELL, TOP - 10, names[label]!, { anchor: 'middle' }));
    parts.push(svgText(LEFT - 10, y + CELL / 2 + 4, names[label]!, { anchor: 'end' }));
    for (const [prediction, count] of counts.entries()) {
      const share = count / Math.max(clips, 1);
      const x = LEFT + prediction * CELL;
      const colour = share > 0.5 ? '#ffffff' : '#222222';
      parts.push(svgRectangle(x, y, CELL - 2, CELL - 2, shade(share)));
      const centre = x + CELL / 2 - 1;
      parts.push(svgText(centre, y + 27, `${Math.round(100 * share)}%`, { anchor: 'middle', size: 13, colour }));
      parts.push(svgText(centre, y + 43, String(count), { anchor: 'middle', size: 10, colour }));
    }
  }
  return svgDocument(width, height, parts);
}

/** From white at 0 to dark blue at 1. */
function shade(share: number): string {
  const channels = WHITE.map((white, i) => Math.round(white + share * (BLUE[i]! - white)));
  return `rgb(${channels.join(',')})`;
}
