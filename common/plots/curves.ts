import { COLOURS, GRID, niceTicks, tickLabel } from './axes.js';
import { round, svgDocument, svgLine, svgRectangle, svgText } from './svg.js';

/** One curve: points (x, y) in ascending order of x. Points that are not finite are left out. */
export interface Series {
  name: string;
  points: readonly (readonly [number, number])[];
}

export interface Panel {
  title: string;
  xLabel: string;
  yLabel: string;
  series: readonly Series[];
}

const PANEL_WIDTH = 460;
const PLOT_HEIGHT = 230;
const MARGIN = { left: 72, right: 16, top: 40, bottom: 50 };
const LEGEND_ROW = 18;
const LEGEND_COLUMNS = 2;
const MARKED_POINTS = 12;

/** Line charts side by side, each with axes, grid and legend. */
export function curvesSvg(panels: readonly Panel[]): string {
  const legendRows = Math.max(...panels.map(({ series }) => Math.ceil(series.length / LEGEND_COLUMNS)));
  const height = MARGIN.top + PLOT_HEIGHT + MARGIN.bottom + legendRows * LEGEND_ROW + 8;
  const parts = panels.flatMap((panel, index) => panelParts(panel, index * PANEL_WIDTH));
  return svgDocument(PANEL_WIDTH * panels.length, height, parts);
}

function panelParts({ title, xLabel, yLabel, series }: Panel, offset: number): string[] {
  const shown = series.map(({ name, points }) => ({
    name,
    points: points.filter((point) => point.every(Number.isFinite)),
  }));
  const all = shown.flatMap(({ points }) => points);
  const xTicks = niceTicks(all.map(([x]) => x));
  const yTicks = niceTicks(all.map(([, y]) => y));
  const left = offset + MARGIN.left;
  const right = offset + PANEL_WIDTH - MARGIN.right;
  const bottom = MARGIN.top + PLOT_HEIGHT;
  const toX = scale(xTicks, left, right);
  const toY = scale(yTicks, bottom, MARGIN.top);
  const parts = [svgText((left + right) / 2, 24, title, { anchor: 'middle', size: 14, bold: true })];
  for (const tick of yTicks) {
    parts.push(svgLine([left, toY(tick)], [right, toY(tick)], GRID));
    parts.push(svgText(left - 6, toY(tick) + 4, tickLabel(tick, yTicks), { anchor: 'end', size: 11 }));
  }
  for (const tick of xTicks) {
    parts.push(svgLine([toX(tick), bottom], [toX(tick), bottom + 4]));
    parts.push(svgText(toX(tick), bottom + 17, tickLabel(tick, xTicks), { anchor: 'middle', size: 11 }));
  }
  parts.push(svgLine([left, bottom], [right, bottom]), svgLine([left, MARGIN.top], [left, bottom]));
  parts.push(svgText((left + right) / 2, bottom + 36, xLabel, { anchor: 'middle' }));
  const yMiddle = (MARGIN.top + bottom) / 2;
  parts.push(svgText(offset + 14, yMiddle, yLabel, { anchor: 'middle', rotate: -90 }));
  for (const [index, { name, points }] of shown.entries()) {
    const colour = COLOURS[index % COLOURS.length]!;
    const corners = points.map(([x, y]) => `${round(toX(x))},${round(toY(y))}`);
    parts.push(`<polyline points="${corners.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    // Few points are measurements to be seen as such; a single one makes no line.
    for (const corner of corners.length <= MARKED_POINTS ? corners : []) {
      const [x, y] = corner.split(',');
      parts.push(`<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`);
    }
    const legendX = left + ((index % LEGEND_COLUMNS) * (right - left)) / LEGEND_COLUMNS;
    const legendY = bottom + MARGIN.bottom + Math.floor(index / LEGEND_COLUMNS) * LEGEND_ROW + 8;
    parts.push(svgRectangle(legendX, legendY - 6, 18, 3, colour), svgText(legendX + 24, legendY, name));
  }
  if (all.length === 0) parts.push(svgText((left + right) / 2, yMiddle, 'no data', { anchor: 'middle' }));
  return parts;
}

function scale(axis: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [axis[0]!, axis.at(-1)!];
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}
