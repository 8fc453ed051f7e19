import path from 'node:path';
import ffmpeg from 'fluent-ffmpeg';
import { ChunkQueue } from './chunk-queue.js';
import { readMatroska, type Track } from './matroska-reader.js';
import { hostileInputOptions, interrupted, type MediaLimits, OutputMeter } from './media-limits.js';
import { ffmpegMissing, type MediaInfo, mediaTimeout, undecodable } from './probe.js';
import type { RgbFrame } from './rgb-frame.js';

/** Samples a second of the decoded sound. */
export const SAMPLE_RATE = 16000;

/** A decoded frame and the seconds from the clip's start at which it is shown. */
export interface VideoFrame extends RgbFrame {
  time: number;
}

export interface DecodedMedia {
  /** First channel at 16 kHz (or the rate asked for), beginning at the clip's start; null when there is no sound. */
  pcm: Int16Array | null;
  /** The chosen frames in order of time. */
  frames: VideoFrame[];
  /** Seconds up to which sound or pictures were decoded. */
  seconds: number;
}

export interface DecodeOptions {
  /** Most frames taken from each second; the first one of each of these intervals is. */
  framesPerSecond: number;
  /** When more frames than this are held, every second one is let go, as often as needed. */
  maxFrames: number;
  /** Pictures of more pixels are scaled down to this many, keeping their shape. */
  maxFramePixels: number;
  /** Samples a second; SAMPLE_RATE when absent. */
  sampleRate?: number;
  limits: MediaLimits;
  threads: number;
  /** Aborted: the decoder is killed. */
  signal?: AbortSignal;
}

/** Room for sound blocks and for rounding of the scaled size. */
const BLOCK_SLACK_BYTES = 2 ** 20;

/**
 * Decodes the sound and evenly spaced frames of a probed file in one ffmpeg process. What comes out counts, not
 * ffmpeg's exit code: a damaged file gives what could be decoded of it.
 *
 * @throws MerError undecodable_media when nothing comes out, too_large when too much does, timeout, missing_part,
 *   interrupted
 */
export async function decodeMedia(file: string, info: MediaInfo, options: DecodeOptions): Promise<DecodedMedia> {
  const output = new ChunkQueue();
  const command = ffmpeg({ source: path.resolve(file), stdoutLines: 20 })
    .inputOptions(...inputOptions(info, options))
    .output(output, { end: true })
    .outputOptions(...outputOptions(info, options));
  const ended = new Promise<Error | null>((resolve) => {
    command.on('end', () => resolve(null)).on('error', (error: Error) => resolve(error));
  });
  let timedOut = false;
  const kill = (): void => void command.kill('SIGKILL');
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.limits.timeoutSeconds * 1000);
  options.signal?.addEventListener('abort', kill);
  // Without a process there is nobody to end the stream.
  void ended.then((error) => error && !output.writableEnded && output.end());
  try {
    command.run();
    const collector = new Collector(options);
    const meter = new OutputMeter(options.limits);
    const maxBlock = 3 * Math.min(options.maxFramePixels * 1.1, options.limits.maxPixels) + BLOCK_SLACK_BYTES;
    for await (const { track, time, data } of readMatroska(output, maxBlock, (entry) => collector.addTrack(entry))) {
      meter.add(data.length);
      collector.addBlock(track, time, data);
    }
    const error = await ended;
    if (options.signal?.aborted) throw interrupted();
    if (timedOut) throw mediaTimeout(options.limits);
    if (error && /cannot find ffmpeg|ENOENT/i.test(error.message)) throw ffmpegMissing(error);
    // A decoder that was killed (by the system, for memory) has not shown that the clip ends where its output ends.
    if (error && /killed with signal/.test(error.message)) throw undecodable('the decoder was killed');
    return collector.finish(info);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', kill);
    kill();
  }
}

function inputOptions(info: MediaInfo, { limits, threads }: DecodeOptions): string[] {
  return [
    '-nostdin',
    ...['-filter_threads', `${threads}`],
    ...['-threads', `${threads}`],
    ...hostileInputOptions(info.demuxer, limits),
    ...['-t', `${limits.maxSeconds}`],
  ];
}

function outputOptions(
  { audio, video }: MediaInfo,
  { framesPerSecond, maxFramePixels, sampleRate = SAMPLE_RATE }: DecodeOptions,
): string[] {
  const options: string[] = [];
  if (video) {
    // The first frame of each interval, so that the spacing does not drift with the clip's own frame rate.
    const interval = (time: string) => `floor(${time}*${framesPerSecond}+1e-6)`;
    const filters = [`select='isnan(prev_selected_t)+gt(${interval('t')},${interval('prev_selected_t')})'`];
    const scale = Math.sqrt(maxFramePixels / (video.width * video.height));
    if (scale < 1) filters.push(`scale='trunc(iw*${scale})':'trunc(ih*${scale})'`);
    options.push('-map', `0:${video.index}`, '-vf', filters.join(','));
    options.push('-sws_flags', 'bicubic', '-c:v', 'rawvideo', '-pix_fmt', 'rgb24');
  }
  if (audio) {
    options.push('-map', `0:${audio.index}`, '-af', 'pan=mono|c0=c0', '-ar', `${sampleRate}`, '-c:a', 'pcm_s16le');
  }
  // Check sums over raw pictures cost a fifth of the decoder's time, and a pipe needs none.
  return [...options, '-allow_raw_vfw', '1', '-live', '1', '-write_crc32', '0', '-f', 'matroska'];
}

/** Sorts blocks into sound and frames and keeps their number within bounds. */
class Collector {
  readonly #options: DecodeOptions;
  readonly #sampleRate: number;
  readonly #tracks = new Map<number, Track>();
  readonly #sound: Uint8Array[] = [];
  #soundStart = 0;
  #frames: VideoFrame[] = [];
  #frameCount = 0;
  #keepEvery = 1;
  #videoEnd = 0;

  constructor(options: DecodeOptions) {
    this.#options = options;
    this.#sampleRate = options.sampleRate ?? SAMPLE_RATE;
  }

  addTrack(track: Track): void {
    this.#tracks.set(track.number, track);
  }

  addBlock(number: number, time: number, data: Uint8Array): void {
    const track = this.#tracks.get(number);
    if (track?.kind === 'audio') {
      if (this.#sound.length === 0) this.#soundStart = time;
      this.#sound.push(data);
    } else if (track?.kind === 'video') this.#addFrame(time, data, track);
  }

  #addFrame(time: number, data: Uint8Array, { width, height }: Track): void {
    // A stream may change its size on the way; such frames, and one that was cut short, cannot be read.
    if (data.length !== width * height * 3) return;
    this.#videoEnd = time + 1 / this.#options.framesPerSecond;
    if (this.#frameCount++ % this.#keepEvery !== 0) return;
    this.#frames.push({ time, data, width, height });
    if (this.#frames.length > this.#options.maxFrames) {
      this.#keepEvery *= 2;
      this.#frames = this.#frames.filter((_, index) => index % 2 === 0);
    }
  }

  finish(info: MediaInfo): DecodedMedia {
    const pcm = this.#pcm(info);
    if (pcm === null && this.#frames.length === 0) throw undecodable('nothing in it could be decoded');
    const soundEnd = (pcm?.length ?? 0) / this.#sampleRate;
    return { pcm, frames: this.#frames, seconds: Math.max(soundEnd, this.#videoEnd) };
  }

  /** The sound as samples, with silence before a late start and without the padding of the last AAC frame. */
  #pcm({ audio }: MediaInfo): Int16Array | null {
    const lead = Math.max(0, Math.round(this.#soundStart * this.#sampleRate));
    const bytes = Buffer.concat(this.#sound);
    const samples = Math.floor(bytes.length / 2);
    if (samples === 0) return null;
    const pcm = new Int16Array(lead + samples);
    for (let i = 0; i < samples; i++) pcm[lead + i] = bytes.readInt16LE(2 * i);
    const stated = audio?.duration ? Math.round(audio.duration * this.#sampleRate) : samples;
    return samples > stated ? pcm.subarray(0, lead + stated) : pcm;
  }
}
