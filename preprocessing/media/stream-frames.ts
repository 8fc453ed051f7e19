import path from 'node:path';
import ffmpeg from 'fluent-ffmpeg';
import { ChunkQueue } from './chunk-queue.js';
import { allocateBlock, readMatroska, type Track } from './matroska-reader.js';
import { hostileInputOptions, type MediaLimits, OutputMeter } from './media-limits.js';
import { ffmpegMissing, type MediaInfo, mediaTimeout, undecodable } from './probe.js';
import type { RgbFrame } from './rgb-frame.js';

/** Frames a second where a file does not say. */
const FALLBACK_RATE = 25;
/** Room for rounding, and for what stands beside the pixels. */
const BLOCK_SLACK_BYTES = 2 ** 20;

export interface FrameStream {
  /** Frames a second: the n-th frame is shown from n / rate on. */
  rate: number;
  /**
   * The frames at full size; the pixels of one are lent until the next but one comes. Leaving the loop early ends the
   * decoder.
   */
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
  options: { limits: MediaLimits; threads: number },
): FrameStream {
  const rate = video.fps ?? FALLBACK_RATE;
  return { rate, frames: decode(file, video.index, demuxer, rate, options) };
}

async function* decode(
  file: string,
  stream: number,
  demuxer: MediaInfo['demuxer'],
  rate: number,
  { limits, threads }: { limits: MediaLimits; threads: number },
): AsyncGenerator<RgbFrame> {
  const output = new ChunkQueue();
  const command = ffmpeg({ source: path.resolve(file), stdoutLines: 20 })
    .inputOptions('-nostdin', '-filter_threads', `${threads}`, '-threads', `${threads}`)
    .inputOptions(...hostileInputOptions(demuxer, limits), '-t', `${limits.maxSeconds}`)
    .output(output, { end: true })
    .outputOptions('-map', `0:${stream}`, '-vf', `fps=${rate}:start_time=0`, '-sws_flags', 'bicubic')
    .outputOptions(
      '-c:v',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      '-allow_raw_vfw',
      '1',
      '-live',
      '1',
      '-write_crc32',
      '0',
      '-f',
      'matroska',
    );
  const ended = new Promise<Error | null>((resolve) => {
    command.on('end', () => resolve(null)).on('error', (error: Error) => resolve(error));
  });
  // Without a process there is nobody to end the stream.
  void ended.then((error) => error && !output.writableEnded && output.end());
  const clock = new DecoderClock(limits, () => command.kill('SIGKILL'));
  const meter = new OutputMeter(limits);
  try {
    command.run();
    let track: Track | null = null;
    const remember = (entry: Track) => {
      if (entry.kind === 'video') track = entry;
    };
    const size = (entry: Track | null) => (entry ? entry.width * entry.height * 3 : 0);
    const maxBlock = 3 * limits.maxPixels + BLOCK_SLACK_BYTES;
    clock.start();
    for await (const { data } of readMatroska(output, maxBlock, remember, takeTurns())) {
      clock.stop();
      meter.add(data.length);
      const shape: Track | null = track;
      // A stream may change its size on the way; such frames, and one that was cut short, cannot be read.
      if (shape !== null && data.length === size(shape)) yield { data, ...dimensions(shape) };
      clock.start();
    }
    clock.stop();
    const error = await ended;
    if (clock.ranOut) throw mediaTimeout(limits);
    if (error && /cannot find ffmpeg|ENOENT/i.test(error.message)) throw ffmpegMissing(error);
    if (error && /killed with signal/.test(error.message)) throw undecodable('the decoder was killed');
  } finally {
    clock.stop();
    command.kill('SIGKILL');
  }
}

/** Lends two blocks of bytes in turn: to make each frame anew would cost more than to read it. */
function takeTurns(): (size: number) => Uint8Array {
  let [current, other] = [allocateBlock(0), allocateBlock(0)];
  return (size) => {
    [current, other] = [other, current];
    if (current.length !== size) current = allocateBlock(size);
    return current;
  };
}

function dimensions({ width, height }: Track): { width: number; height: number } {
  return { width, height };
}

/** Counts the time for which the reader waits for the decoder, and not that for which the decoder waits. */
class DecoderClock {
  readonly #onTimeout: () => void;
  #left: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  ranOut = false;

  constructor({ timeoutSeconds }: MediaLimits, onTimeout: () => void) {
    this.#left = timeoutSeconds * 1000;
    this.#onTimeout = onTimeout;
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => {
      this.ranOut = true;
      this.#onTimeout();
    }, this.#left);
  }

  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left -= performance.now() - this.#startedAt;
  }
}
