import sharp, { type OverlayOptions } from 'sharp';
import { writeFileAtomic } from '../../common/files.js';
import { svgDocument, svgText } from '../../common/plots/svg.js';
import type { Picture } from './pictures.js';

export interface Cell {
  caption: string;
  picture: Picture;
}

const MARGIN = 12;
const CAPTION_HEIGHT = 18;
const TITLE_HEIGHT = 30;

/** Writes captioned pictures, row by row, as one PNG file. Missing folders are made. */
export async function writeSheet(file: string, title: string, rows: readonly (readonly Cell[])[]): Promise<void> {
  const texts = [svgText(MARGIN, MARGIN + 14, title, { size: 15, bold: true })];
  const layers: OverlayOptions[] = [];
  let width = 0;
  let y = MARGIN + TITLE_HEIGHT;
  for (const row of rows) {
    let x = MARGIN;
    for (const { caption, picture } of row) {
      texts.push(svgText(x, y + CAPTION_HEIGHT - 6, caption));
      const raw = { width: picture.width, height: picture.height, channels: 3 } as const;
      layers.push({ input: Buffer.from(picture.data.buffer), raw, left: x, top: y + CAPTION_HEIGHT });
      x += picture.width + MARGIN;
    }
    width = Math.max(width, x);
    y += CAPTION_HEIGHT + Math.max(...row.map(({ picture }) => picture.height)) + MARGIN;
  }
  const ground = Buffer.from(svgDocument(width, y, texts));
  await writeFileAtomic(file, await sharp(ground).composite(layers).png().toBuffer());
}
