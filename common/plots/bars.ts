import { COLOURS, GRID, niceTicks, tickLabel } from './axes.js';
import { svgDocument, svgLine, svgRectangle, svgText } from './svg.js';

/** One bar, and the interval that is drawn over its end. */
export interface Bar {
  value: number;
  low?: number | undefined;
  high?: number | undefined;
}

export interface BarChart {
  title: string;
  xLabel: string;
  /** One colour each. */
  series: readonly string[];
  /** One bar a series; null leaves its place empty. */
  groups: readonly { name: string; values: readonly (Bar | null)[] }[];
}

const PLOT_WIDTH = 430;
/** Of one character of a group's name, at most. */
const CHARACTER_WIDTH = 7.4;
const RIGHT = 80;
const TOP = 44;
const BAR = 16;
const GAP = 12;

/** Horizontal bars in groups, from zero on, each with its value. */
export function barsSvg({ title, xLabel, series, groups }: BarChart): string {
  const left = 24 + CHARACTER_WIDTH * Math.max(...groups.map(({ name }) => name.length));
  const width = left + PLOT_WIDTH + RIGHT;
  const groupHeight = series.length * BAR + GAP;
  const bottom = TOP + groups.length * groupHeight;
  const values = groups.flatMap((group) => group.values.flatMap((bar) => (bar ? [bar.value, bar.high ?? 0] : [])));
  const axis = niceTicks([0, ...values.filter(Number.isFinite)]);
  const toX = (value: number) => left + ((value - axis[0]!) / (axis.at(-1)! - axis[0]!)) * PLOT_WIDTH;
  const parts = [svgText(width / 2, 24, title, { anchor: 'middle', size: 14, bold: true })];
  for (const tick of axis) {
    parts.push(svgLine([toX(tick), TOP - 6], [toX(tick), bottom], GRID));
    parts.push(svgText(toX(tick), bottom + 17, tickLabel(tick, axis), { anchor: 'middle', size: 11 }));
  }
  for (const [index, group] of groups.entries()) {
    const top = TOP + index * groupHeight;
    parts.push(svgText(left - 8, top + (series.length * BAR) / 2 + 4, group.name, { anchor: 'end' }));
    for (const [place, bar] of group.values.entries()) {
      if (bar && Number.isFinite(bar.value)) parts.push(...barParts(bar, top + place * BAR, place, toX));
    }
  }
  parts.push(svgText(left + PLOT_WIDTH / 2, bottom + 36, xLabel, { anchor: 'middle' }));
  const step = (width - 40) / series.length;
  for (const [index, name] of series.entries()) {
    const x = 20 + index * step;
    parts.push(svgRectangle(x, bottom + 50, 18, 8, colour(index)), svgText(x + 24, bottom + 58, name));
  }
  return svgDocument(width, bottom + 72, parts);
}

function barParts({ value, low, high }: Bar, top: number, place: number, toX: (value: number) => number): string[] {
  const middle = top + BAR / 2 - 1;
  const parts = [svgRectangle(toX(0), top, toX(value) - toX(0), BAR - 2, colour(place))];
  if (low !== undefined && high !== undefined) {
    parts.push(svgLine([toX(low), middle], [toX(high), middle]));
    for (const end of [low, high]) parts.push(svgLine([toX(end), middle - 4], [toX(end), middle + 4]));
  }
  parts.push(svgText(toX(Math.max(value, high ?? value)) + 5, middle + 4, rounded(value), { size: 10 }));
  return parts;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

/** Three digits that count, large numbers whole. */
function rounded(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
