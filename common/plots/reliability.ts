import type { ReliabilityBin } from '../metrics.js';
import { COLOURS, GRID } from './axes.js';
import { svgDocument, svgLine, svgRectangle, svgText } from './svg.js';

/** One reliability diagram of several side by side. */
export interface ReliabilityPanel {
  title: string;
  /** A line under the title, such as the calibration error. */
  note: string;
  /** Of equal width over [0, 1]. */
  bins: readonly ReliabilityBin[];
}

const PANEL_WIDTH = 380;
const LEFT = 62;
const TOP = 64;
const SIDE = 290;
/** Height of the strip below that shows how many clips each bin has. */
const STRIP = 56;
const STRIP_TOP = TOP + SIDE + 14;
const HEIGHT = STRIP_TOP + STRIP + 84;
const BLUE = COLOURS[0]!;
const ORANGE = COLOURS[1]!;

/**
 * Reliability diagrams (Guo et al. 2017, arXiv 1706.04599): a bar shows how many of a bin's predictions are right, the
 * line at its side how sure the network was of them; where both lie on the diagonal, probabilities are what they say.
 */
export function reliabilitySvg(panels: readonly ReliabilityPanel[]): string {
  const width = panels.length * PANEL_WIDTH;
  const parts = panels.flatMap((panel, index) => panelParts(panel, index * PANEL_WIDTH));
  const y = HEIGHT - 16;
  parts.push(svgRectangle(LEFT, y - 9, 14, 10, BLUE), svgText(LEFT + 20, y, 'share that is right'));
  parts.push(svgRectangle(LEFT + 172, y - 5, 14, 3, ORANGE), svgText(LEFT + 192, y, 'mean probability'));
  parts.push(svgLine([LEFT + 330, y - 4], [LEFT + 344, y - 4]), svgText(LEFT + 350, y, 'perfectly calibrated'));
  return svgDocument(width, HEIGHT, parts);
}

function panelParts({ title, note, bins }: ReliabilityPanel, offset: number): string[] {
  const left = offset + LEFT;
  const toX = (value: number) => left + value * SIDE;
  const toY = (value: number) => TOP + (1 - value) * SIDE;
  const parts = [
    svgText(left + SIDE / 2, 24, title, { anchor: 'middle', size: 14, bold: true }),
    svgText(left + SIDE / 2, 46, note, { anchor: 'middle' }),
  ];
  for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    parts.push(svgLine([left, toY(tick)], [left + SIDE, toY(tick)], GRID));
    parts.push(svgText(left - 6, toY(tick) + 4, tick.toFixed(1), { anchor: 'end', size: 11 }));
    parts.push(svgText(toX(tick), STRIP_TOP + STRIP + 17, tick.toFixed(1), { anchor: 'middle', size: 11 }));
  }
  const most = Math.max(1, ...bins.map(({ clips }) => clips));
  for (const [index, { clips, accuracy, confidence }] of bins.entries()) {
    if (clips === 0) continue;
    const x = toX(index / bins.length) + 1;
    const width = SIDE / bins.length - 2;
    parts.push(svgRectangle(x, toY(accuracy), width, toY(0) - toY(accuracy), BLUE));
    parts.push(svgRectangle(x, toY(confidence) - 1.5, width, 3, ORANGE));
    const height = Math.max(1, (STRIP * clips) / most);
    parts.push(svgRectangle(x, STRIP_TOP + STRIP - height, width, height, '#999999'));
  }
  parts.push(svgLine([toX(0), toY(0)], [toX(1), toY(1)]));
  parts.push(svgLine([left, TOP], [left, TOP + SIDE]), svgLine([left, TOP + SIDE], [left + SIDE, TOP + SIDE]));
  parts.push(svgLine([left, STRIP_TOP + STRIP], [left + SIDE, STRIP_TOP + STRIP]));
  parts.push(svgText(left - 6, STRIP_TOP + 9, String(most), { anchor: 'end', size: 11 }));
  const [bars, strip] = [TOP + SIDE / 2, STRIP_TOP + STRIP / 2];
  parts.push(svgText(offset + 18, bars, 'accuracy', { anchor: 'middle', rotate: -90 }));
  parts.push(svgText(offset + 18, strip, 'clips', { anchor: 'middle', rotate: -90 }));
  const x = left + SIDE / 2;
  parts.push(svgText(x, STRIP_TOP + STRIP + 36, 'probability of the predicted class', { anchor: 'middle' }));
  return parts;
}
