import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Random } from '../../common/random.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { probeMedia } from '../../preprocessing/media/probe.js';
import { clipForm, type Upload } from '../load/http-client.js';
import { GOLDEN_CLIPS } from '../preprocess-fairness.js';

const LENGTHS = [1, 2.5, 5, 10, 20, 40];
const HEIGHTS = [180, 360, 720, 1080];
/** Clips whose pictures are copied and scaled: of 360p and of 720p. */
const PORTRAIT = path.join(GOLDEN_CLIPS, '00002-ang-neu-ang.mp4');
const PORTRAIT_720P = path.join(GOLDEN_CLIPS, '00001-hap-hap-neu.mp4');

const WORDS = 12;

/** A clip on disk with what is known of it, ready to be sent. */
export interface BenchClip {
  file: string;
  name: string;
  width: number;
  height: number;
  duration: number;
  upload: Upload;
}

/** Vectors of a sentence of 12 words, always the same for a dimension. */
export function benchWords(dimension: number): number[][] {
  const random = Random.for(1, 'bench serve');
  return Array.from({ length: WORDS }, () => Array.from({ length: dimension }, () => random.normal()));
}

export async function openClip(file: string, words: number[][]): Promise<BenchClip> {
  const { video, duration } = await probeMedia(file, DEFAULT_LIMITS);
  return {
    file,
    name: path.basename(file),
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    duration: duration ?? 0,
    upload: clipForm(await fsp.readFile(file), { words: JSON.stringify(words) }),
  };
}

/** Clips of one picture size and several lengths, made of a golden one. */
export function makeLengths(folder: string, words: number[][]): Promise<BenchClip[]> {
  return inTurn(LENGTHS, async (seconds) => {
    const file = path.join(folder, `${seconds}s.mp4`);
    await ffmpeg('-stream_loop', '-1', '-i', PORTRAIT, '-t', `${seconds}`, ...H264, file);
    return openClip(file, words);
  });
}

/** Clips of one length and several picture sizes, made of a golden one. */
export function makeSizes(folder: string, words: number[][]): Promise<BenchClip[]> {
  return inTurn(HEIGHTS, async (height) => {
    const file = path.join(folder, `${height}p.mp4`);
    await ffmpeg('-i', PORTRAIT_720P, '-vf', `scale=-2:${height}`, ...H264, file);
    return openClip(file, words);
  });
}

const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];

async function ffmpeg(...args: string[]): Promise<void> {
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args]);
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
