/** Dark grey of texts and axes. */
export const INK = '#333333';

interface TextOptions {
  anchor?: 'start' | 'middle' | 'end';
  size?: number;
  colour?: string;
  bold?: boolean;
  /** Degrees clockwise about (x, y). */
  rotate?: number;
}

/** One line of text; `y` is its baseline. */
export function svgText(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', size = 12, colour = INK, bold = false, rotate = 0 } = options;
  const weight = bold ? ' font-weight="bold"' : '';
  const turn = rotate === 0 ? '' : ` transform="rotate(${rotate} ${round(x)} ${round(y)})"`;
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${colour}" text-anchor="${anchor}"` +
    `${weight}${turn}>${escapeXml(content)}</text>`
  );
}

export function svgLine(from: readonly [number, number], to: readonly [number, number], colour = INK): string {
  const [x1, y1, x2, y2] = [...from, ...to].map(round);
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}"/>`;
}

export function svgRectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`;
}

/** A whole SVG file on a white ground. */
export function svgDocument(width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `font-family="DejaVu Sans, Verdana, Arial, sans-serif">`,
    svgRectangle(0, 0, width, height, '#ffffff'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** Coordinates to a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
