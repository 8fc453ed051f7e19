import { Decoder, RAW_PICTURES } from './decoder.js';
import { allocateBlock, type Track } from './matroska-reader.js';
import type { MediaLimits } from './media-limits.js';
import type { MediaInfo } from './probe.js';
import type { RgbFrame } from './rgb-frame.js';

/** Frames a second where a file does not say. */
const FALLBACK_RATE = 25;

export interface StreamOptions {
  limits: MediaLimits;
  threads: number;
  signal?: AbortSignal;
  /** Frames whose pixels are lent at a time, 1 when absent: those of one are then valid until the next but one comes. */
  lent?: number;
}

export interface FrameStream {
  /** Frames a second: the n-th frame is shown from n / rate on. */
  rate: number;
  /** The frames at full size. Leaving the loop early ends the decoder. */
  frames: AsyncGenerator<RgbFrame>;
}

/**
 * All frames of a probed file at its own constant rate, one at a time: the decoder waits for whoever reads them, so
 * that memory does not grow with the length of the clip. A frame that is late or missing is replaced by the one before
 * it, as players and moviepy do.
 *
 * Iterating throws MerError undecodable_media when the decoder was killed, timeout when it took longer than the limit
 * without being made to wait, too_large when it puts out more than the limit, missing_part.
 */
export function streamFrames(
  file: string,
  video: NonNullable<MediaInfo['video']>,
  demuxer: MediaInfo['demuxer'],
  options: StreamOptions,
): FrameStream {
  const rate = video.fps ?? FALLBACK_RATE;
  return { rate, frames: decode(file, video.index, demuxer, rate, options) };
}

async function* decode(
  file: string,
  stream: number,
  demuxer: MediaInfo['demuxer'],
  rate: number,
  { lent = 1, ...options }: StreamOptions,
): AsyncGenerator<RgbFrame> {
  const output = ['-map', `0:${stream}`, '-vf', `fps=${rate}:start_time=0`, ...RAW_PICTURES];
  const decoder = new Decoder(file, { demuxer, output, maxPixels: options.limits.maxPixels, ...options });
  let track: Track | null = null;
  const remember = (entry: Track) => {
    if (entry.kind === 'video') track = entry;
  };
  for await (const { data } of decoder.blocks(remember, takeTurns(lent + 1))) {
    const shape: Track | null = track;
    // A stream may change its size on the way; such frames, and one that was cut short, cannot be read.
    if (shape !== null && isWhole(data, shape)) yield { data, ...dimensions(shape) };
  }
}

/** Lends blocks of bytes in turn: to make each frame anew would cost more than to read it. */
function takeTurns(count: number): (size: number) => Uint8Array {
  const blocks = Array.from({ length: count }, () => allocateBlock(0));
  let turn = 0;
  return (size) => {
    turn = (turn + 1) % count;
    const block = blocks[turn]!;
    if (block.length === size) return block;
    const fresh = allocateBlock(size);
    blocks[turn] = fresh;
    return fresh;
  };
}

function isWhole(data: Uint8Array, { width, height }: Track): boolean {
  return data.length === width * height * 3;
}

function dimensions({ width, height }: Track): { width: number; height: number } {
  return { width, height };
}
