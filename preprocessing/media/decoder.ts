import path from 'node:path';
import ffmpeg from 'fluent-ffmpeg';
import { ChunkQueue } from './chunk-queue.js';
import { type Block, readMatroska, type Track } from './matroska-reader.js';
import { hostileInputOptions, interrupted, type MediaLimits, OutputMeter } from './media-limits.js';
import type { YuvMatrix } from './picture.js';
import { ffmpegMissing, mediaTimeout, undecodable } from './probe.js';
import type { Demuxer } from './sniff.js';

/** Room in a block for what stands beside the pixels, for sound, and for rounding of the scaled size. */
const BLOCK_SLACK_BYTES = 2 ** 20;

/** Raw pictures in the form of a `Picture`; as planes only where they have that form in the file. */
export function rawPictures(matrix: YuvMatrix | null): string[] {
  return ['-sws_flags', 'bicubic', '-c:v', 'rawvideo', '-pix_fmt', matrix ? 'yuv420p' : 'rgb24'];
}

/** Check sums over raw pictures cost a fifth of the decoder's time, and a pipe needs none. */
const PIPED_MATROSKA = ['-allow_raw_vfw', '1', '-live', '1', '-write_crc32', '0', '-f', 'matroska'];

export interface DecoderOptions {
  demuxer: Demuxer;
  /** ffmpeg's options for streams, filters and codecs. */
  output: readonly string[];
  /** Pixels of the largest picture that comes out. */
  maxPixels: number;
  limits: MediaLimits;
  threads: number;
  /** Aborted: the decoder is killed. */
  signal?: AbortSignal;
}

/**
 * One ffmpeg process that decodes an upload into one pipe. It starts at once and is held back until its blocks are
 * read; whoever does not read them to their end must call `kill`.
 */
export class Decoder {
  readonly #output = new ChunkQueue();
  readonly #command: ffmpeg.FfmpegCommand;
  readonly #ended: Promise<Error | null>;
  /** Resolves when the process has been started, or could not be. */
  readonly launched: Promise<unknown>;
  readonly #limits: MediaLimits;
  readonly #maxBlockBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.kill();
  #killed = false;

  constructor(file: string, { demuxer, output, maxPixels, limits, threads, signal }: DecoderOptions) {
    this.#limits = limits;
    this.#signal = signal;
    this.#maxBlockBytes = 3 * maxPixels + BLOCK_SLACK_BYTES;
    this.#command = ffmpeg({ source: path.resolve(file), stdoutLines: 20 })
      .inputOptions('-nostdin', '-filter_threads', `${threads}`, '-threads', `${threads}`)
      .inputOptions(...hostileInputOptions(demuxer, limits), '-t', `${limits.maxSeconds}`)
      .output(this.#output, { end: true })
      .outputOptions(...output, ...PIPED_MATROSKA);
    this.#ended = new Promise((resolve) => {
      this.#command.on('end', () => resolve(null)).on('error', (error: Error) => resolve(error));
    });
    // Without a process there is nobody to end the stream.
    void this.#ended.then((error) => error && !this.#output.writableEnded && this.#output.end());
    const started = new Promise<void>((resolve) => {
      this.#command.on('start', () => {
        // The process comes a little later than the command: only now can it be killed.
        if (this.#killed) this.kill();
        resolve();
      });
    });
    this.launched = Promise.race([started, this.#ended]);
    this.#command.run();
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted) this.kill();
  }

  /**
   * What comes out, in order, for one reader. What comes out counts, not ffmpeg's exit code: a damaged file gives what
   * could be decoded of it. The time limit counts while the reader waits for the decoder, not the other way round.
   *
   * @param onTrack is told of each track before its blocks come
   * @param allocate as of `readMatroska`
   * @throws MerError timeout, too_large when more comes out than the limit, undecodable_media when the decoder was
   *   killed by somebody else, missing_part, interrupted when the signal was aborted
   */
  async *blocks(onTrack: (track: Track) => void, allocate?: (size: number) => Uint8Array): AsyncGenerator<Block> {
    const clock = new DecoderClock(this.#limits, () => this.kill());
    const meter = new OutputMeter(this.#limits);
    try {
      clock.start();
      for await (const block of readMatroska(this.#output, this.#maxBlockBytes, onTrack, allocate)) {
        clock.stop();
        meter.add(block.data.length);
        yield block;
        clock.start();
      }
      clock.stop();
      const error = await this.#ended;
      if (this.#signal?.aborted) throw interrupted();
      if (clock.ranOut) throw mediaTimeout(this.#limits);
      if (error && /cannot find ffmpeg|ENOENT/i.test(error.message)) throw ffmpegMissing(error);
      // A decoder that was killed (by the system, for memory) has not shown that the clip ends where its output ends.
      if (error && /killed with signal/.test(error.message)) throw undecodable('the decoder was killed');
    } finally {
      clock.stop();
      this.kill();
    }
  }

  kill(): void {
    this.#killed = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#output.discard();
    this.#command.kill('SIGKILL');
  }
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
