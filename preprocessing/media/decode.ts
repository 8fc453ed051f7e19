import { isDeepStrictEqual } from 'node:util';
import { Decoder, rawPictures } from './decoder.js';
import type { Track } from './matroska-reader.js';
import type { MediaLimits } from './media-limits.js';
import { type Picture, toPicture, type YuvMatrix } from './picture.js';
import { type MediaInfo, undecodable } from './probe.js';

/** Samples a second of the decoded sound. */
export const SAMPLE_RATE = 16000;

/** A decoded frame and the seconds from the clip's start at which it is shown. */
export interface VideoFrame extends Picture {
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
  /** Pictures of more pixels are scaled down to this many, keeping their shape, to even sides. */
  maxFramePixels: number;
  /** Samples a second; SAMPLE_RATE when absent. */
  sampleRate?: number;
  limits: MediaLimits;
  threads: number;
  /** Aborted: the decoder is killed. */
  signal?: AbortSignal;
  /** Makes or lends the memory of the frames; new memory when absent. */
  allocate?(size: number): Uint8Array;
}

/**
 * Decodes the sound and evenly spaced frames of a probed file in one ffmpeg process.
 *
 * @throws MerError undecodable_media when nothing comes out, too_large when too much does, timeout, missing_part,
 *   interrupted
 */
export function decodeMedia(file: string, info: MediaInfo, options: DecodeOptions): Promise<DecodedMedia> {
  return new Decoding(file, info, options).finish(info);
}

/** A decoder at work on the sound and evenly spaced frames of a file; whoever does not finish it must call `kill`. */
export class Decoding {
  readonly #decoder: Decoder;
  readonly #output: readonly string[];
  readonly #options: DecodeOptions;

  /** @param info of the file; a guess will do where `suits` is asked before the end */
  constructor(file: string, info: MediaInfo, options: DecodeOptions) {
    const { limits, threads, signal } = options;
    this.#options = options;
    this.#output = outputOptions(info, options);
    this.#decoder = new Decoder(file, {
      demuxer: info.demuxer,
      output: this.#output,
      maxPixels: Math.min(options.maxFramePixels * 1.1, limits.maxPixels),
      ...{ limits, threads, ...(signal && { signal }) },
    });
  }

  /** Resolves when the decoder has been started, or could not be. */
  get launched(): Promise<unknown> {
    return this.#decoder.launched;
  }

  /** Whether a decoder that is started now would be given the very same command. */
  suits(info: MediaInfo, options: DecodeOptions): boolean {
    return isDeepStrictEqual(this.#output, outputOptions(info, options));
  }

  /**
   * Reads all that comes out.
   *
   * @throws MerError as `decodeMedia` does
   */
  async finish(info: MediaInfo): Promise<DecodedMedia> {
    const collector = new Collector(this.#options, info.video?.matrix ?? null);
    const blocks = this.#decoder.blocks((track) => collector.addTrack(track), this.#options.allocate);
    for await (const { track, time, data } of blocks) collector.addBlock(track, time, data);
    return collector.finish(info);
  }

  kill(): void {
    this.#decoder.kill();
  }
}

/** ffmpeg's options for what is to come out; what else a run of it is told does not depend on the file's description. */
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
    if (scale < 1) filters.push(`scale='2*max(1,trunc(iw*${scale / 2}))':'2*max(1,trunc(ih*${scale / 2}))'`);
    options.push('-map', `0:${video.index}`, '-vf', filters.join(','), ...rawPictures(video.matrix));
  }
  if (audio) {
    options.push('-map', `0:${audio.index}`, '-af', 'pan=mono|c0=c0', '-ar', `${sampleRate}`, '-c:a', 'pcm_s16le');
  }
  return options;
}

/** Sorts blocks into sound and frames and keeps their number within bounds. */
class Collector {
  readonly #options: DecodeOptions;
  readonly #matrix: YuvMatrix | null;
  readonly #sampleRate: number;
  readonly #tracks = new Map<number, Track>();
  readonly #sound: Uint8Array[] = [];
  #soundStart = 0;
  #frames: VideoFrame[] = [];
  #frameCount = 0;
  #keepEvery = 1;
  #videoEnd = 0;

  constructor(options: DecodeOptions, matrix: YuvMatrix | null) {
    this.#options = options;
    this.#matrix = matrix;
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

  #addFrame(time: number, data: Uint8Array, track: Track): void {
    const picture = toPicture(data, track, this.#matrix);
    if (!picture) return;
    this.#videoEnd = time + 1 / this.#options.framesPerSecond;
    if (this.#frameCount++ % this.#keepEvery !== 0) return;
    this.#frames.push({ time, ...picture });
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
