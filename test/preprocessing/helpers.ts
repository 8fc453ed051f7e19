import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { MTCNN_DIR } from '../../common/paths.js';
import type { ClipSettings } from '../../preprocessing/clip.js';
import { createFaceDetector, type FaceDetector } from '../../preprocessing/faces/face-detector.js';
import { type Picture, type PixelRectangle, sizeOf, wholeOf } from '../../preprocessing/media/picture.js';
import { PixelMemory, pixelAddress } from '../../preprocessing/pixels/pixel-memory.js';

export const SETTINGS: ClipSettings = { compat: 'default', maxFrames: 32 };

export function goldenFile(...names: string[]): string {
  return path.join(fileURLToPath(new URL('../golden', import.meta.url)), ...names);
}

/** Clips made from a public-domain portrait and synthetic speech: 1 = 720p, 2 = 360p, 3 = two faces, 4 = no face at times. */
export function goldenClip(number: 1 | 2 | 3 | 4): string {
  const names = ['00001-hap-hap-neu', '00002-ang-neu-ang', '00003-sad-sad-sad', '00004-neu-neu-neu'] as const;
  return goldenFile('clips', `${names[number - 1]}.mp4`);
}

export function testDetector(): Promise<FaceDetector> {
  return createFaceDetector({ directory: MTCNN_DIR });
}

/** (height, width, 3) RGB of part of a picture. */
export function rgbOf(picture: Picture, region: PixelRectangle = wholeOf(picture)): Uint8Array {
  const memory = new PixelMemory();
  const pixels = memory.putPixels(picture, region);
  const { width } = sizeOf(region);
  const rgb: number[] = [];
  for (let y = region.top; y < region.bottom; y++) {
    const row = memory.bytes(pixelAddress(pixels, region.left, y), width * 4);
    for (let x = 0; x < row.length; x += 4) rgb.push(row[x]!, row[x + 1]!, row[x + 2]!);
  }
  return Uint8Array.from(rgb);
}

export async function runFfmpeg(...args: string[]): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: 2 ** 30 } as const;
  const { stdout } = await promisify(execFile)('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], options);
  return stdout;
}

/** An array of an `.npz` file at its full precision, which the project's own reader reduces to float32. */
export function readFloat64(file: string, key: string): Float64Array {
  const entry = unzipSync(fs.readFileSync(file))[`${key}.npy`]!;
  const start = 10 + Buffer.from(entry).readUInt16LE(8);
  return new Float64Array(entry.slice(start).buffer);
}
