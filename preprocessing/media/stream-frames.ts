import { Decoder, rawPictures } from './decoder.js';
import { allocateBlock, type Track } from './matroska-reader.js';
import type { MediaLimits } from './media-limits.js';
import { type Picture, toPicture, type YuvMatrix } from './picture.js';
import type { MediaInfo, VideoInfo } from './probe.js';

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
  frames: AsyncGenerator<Picture>;
  /** Ends the decoder; whoever does not begin to read the frames must call it. */
  kill(): void;
}

/**
 * All frames of a probed file at its own constant rate, one at a time: the decoder starts at once and waits for whoever
 * reads them, so that memory does not grow with the length of the clip. A frame that is late or missing is replaced by
 * the one before it, as players and moviepy do.
 *
 * Iterating throws MerError undecodable_media when the decoder was killed, timeout when it took longer than the limit
 * without being made to wait, too_large when it puts out more than the limit, missing_part.
 */
export function streamFrames(
  file: string,
  { index, fps, matrix }: VideoInfo,
  demuxer: MediaInfo['demuxer'],
  { lent = 1, ...options }: StreamOptions,
): FrameStream {
  const rate = fps ?? FALLBACK_RATE;
  const output = ['-map', `0:${index}`, '-vf', `fps=${rate}:start_time=0`, ...rawPictures(matrix)];
  const decoder = new Decoder(file, { demuxer, output, maxPixels: options.limits.maxPixels, ...options });
  return { rate, frames: readFrames(decoder, matrix, lent), kill: () => decoder.kill() };
}

async function* readFrames(decoder: Decoder, matrix: YuvMatrix | null, lent: number): AsyncGenerator<Picture> {
  let track: Track | null = null;
  const remember = (entry: Track) => {
    if (entry.kind === 'video') track = entry;
  };
  for await (const { data } of decoder.blocks(remember, takeTurns(lent + 1))) {
    const shape: Track | null = track;
    const picture = shape && toPicture(data, shape, matrix);
    if (picture) yield picture;
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
