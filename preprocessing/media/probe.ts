import { execFile } from 'node:child_process';
import path from 'node:path';
import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import { hostileInputOptions, type MediaLimits } from './media-limits.js';
import type { YuvMatrix } from './picture.js';
import { type Demuxer, sniffFile } from './sniff.js';

export interface VideoInfo {
  index: number;
  /** Pixels, before any rotation. */
  width: number;
  height: number;
  /** Frames a second; null when unknown. */
  fps: number | null;
  /** Where its pictures can be carried as planes of yuv420p: how RGB is made of them. Else null. */
  matrix: YuvMatrix | null;
}

/** What a media file says of itself. */
export interface MediaInfo {
  demuxer: Demuxer;
  /** Stated seconds; null when the file does not say. */
  duration: number | null;
  /** The first audio stream: its index in the file and its stated seconds. */
  audio: { index: number; duration: number | null } | null;
  /** The first video stream that is no cover picture. */
  video: VideoInfo | null;
}

/** Of the description, and of what ffprobe has to complain. */
const MAX_PROBE_BYTES = 2 ** 22;

/** By ffprobe's names. ffmpeg, too, takes what says nothing for the matrix of standard definition, whatever its size. */
const MATRIX_OF_SPACE: Readonly<Record<string, YuvMatrix>> = {
  unknown: 'bt601',
  smpte170m: 'bt601',
  bt470bg: 'bt601',
  bt709: 'bt709',
};

const secondsSchema = z.coerce.number().nonnegative().optional().catch(undefined);
const probeSchema = z.object({
  streams: z.array(
    z.object({
      index: z.number().int(),
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      width: z.number().int().default(0),
      height: z.number().int().default(0),
      avg_frame_rate: z.string().optional(),
      pix_fmt: z.string().optional(),
      color_range: z.string().optional(),
      color_space: z.string().optional(),
      duration: secondsSchema,
      disposition: z.object({ attached_pic: z.number().optional() }).optional(),
    }),
  ),
  format: z.object({ duration: secondsSchema }),
});

/**
 * Sniffs and probes a media file, and refuses what is no media or is beyond the limits.
 *
 * @throws MerError not_found, empty_file, unsupported_media, undecodable_media, too_large, timeout or missing_part
 */
export async function probeMedia(file: string, limits: MediaLimits): Promise<MediaInfo> {
  return describeMedia(file, await sniffFile(file), limits);
}

/**
 * The same for a file that is sniffed already.
 *
 * @throws MerError undecodable_media, too_large, timeout or missing_part
 */
export async function describeMedia(file: string, demuxer: Demuxer, limits: MediaLimits): Promise<MediaInfo> {
  const { streams, format } = parseProbe(await runFfprobe(file, demuxer, limits));
  if (streams.length > limits.maxStreams) {
    throw new MerError(
      'too_large',
      `The clip has ${streams.length} streams; at most ${limits.maxStreams} are read.`,
      'Send a clip with one video and one audio stream.',
    );
  }
  const decodable = streams.filter(({ codec_name: codec }) => codec !== undefined && codec !== 'unknown');
  const audio = decodable.find(({ codec_type: type }) => type === 'audio');
  const video = decodable.find(
    ({ codec_type: type, disposition, width, height }) =>
      type === 'video' && disposition?.attached_pic !== 1 && width > 0 && height > 0,
  );
  if (!audio && !video) throw undecodable('it has neither sound nor pictures that can be decoded');
  const durations = [format.duration, audio?.duration, video?.duration].filter((value) => value !== undefined);
  const duration = durations.length > 0 ? Math.max(...durations) : null;
  if (duration !== null && duration > limits.maxSeconds) {
    throw new MerError(
      'too_large',
      `The clip lasts ${duration.toFixed(1)} s; at most ${limits.maxSeconds} s are taken.`,
      'Send a shorter clip.',
    );
  }
  if (video && video.width * video.height > limits.maxPixels) throw tooManyPixels(video.width, video.height, limits);
  return {
    demuxer,
    duration,
    audio: audio ? { index: audio.index, duration: audio.duration ?? null } : null,
    video: video
      ? {
          ...{ index: video.index, width: video.width, height: video.height },
          ...{ fps: parseRate(video.avg_frame_rate), matrix: matrixOf(video) },
        }
      : null,
  };
}

/** @throws MerError undecodable_media, saying why */
export function undecodable(why: string): MerError {
  return new MerError(
    'undecodable_media',
    `The clip cannot be decoded: ${why}.`,
    'Play it on your side first, and send it again whole.',
  );
}

export function ffmpegMissing(cause: unknown): MerError {
  return new MerError(
    'missing_part',
    'ffmpeg and ffprobe were not found.',
    'Install ffmpeg (on Debian or Ubuntu: apt-get install ffmpeg) so that both are on the PATH.',
    { cause },
  );
}

function matrixOf({ width, height, ...colour }: z.infer<typeof probeSchema>['streams'][number]): YuvMatrix | null {
  const { pix_fmt: format, color_range: range = 'unknown', color_space: space = 'unknown' } = colour;
  const limited = range === 'tv' || range === 'unknown';
  if (format !== 'yuv420p' || !limited || width % 2 !== 0 || height % 2 !== 0) return null;
  return MATRIX_OF_SPACE[space] ?? null;
}

function runFfprobe(file: string, demuxer: Demuxer, limits: MediaLimits): Promise<string> {
  const entries =
    'stream=index,codec_type,codec_name,width,height,avg_frame_rate,pix_fmt,color_range,color_space,duration:stream_disposition=attached_pic:format=duration';
  const args = [
    ...hostileInputOptions(demuxer, limits),
    ...['-show_entries', entries, '-of', 'json', '-i', path.resolve(file)],
  ];
  const options = { timeout: limits.timeoutSeconds * 1000, killSignal: 'SIGKILL', maxBuffer: MAX_PROBE_BYTES } as const;
  return new Promise((resolve, reject) => {
    execFile('ffprobe', args, options, (error, stdout, stderr) => {
      // Beyond the limit ffprobe does not say the size among the streams, only here.
      const size = /Picture size (\d+)x(\d+)/.exec(stderr);
      if (size) reject(tooManyPixels(Number(size[1]), Number(size[2]), limits));
      else if (!error) resolve(stdout);
      else if (error.code === 'ENOENT') reject(ffmpegMissing(error));
      else if (error.killed && error.code === null) reject(mediaTimeout(limits));
      else reject(undecodable('no media streams were found in it'));
    });
  });
}

function tooManyPixels(width: number, height: number, limits: MediaLimits): MerError {
  return new MerError(
    'too_large',
    `The pictures have ${width} x ${height} pixels; at most ${limits.maxPixels} in all are taken.`,
    'Send a clip of lower resolution.',
  );
}

export function mediaTimeout(limits: MediaLimits): MerError {
  return new MerError(
    'timeout',
    `Decoding the clip took longer than ${limits.timeoutSeconds} s.`,
    'Send a shorter clip or one of lower resolution.',
  );
}

function parseProbe(text: string): z.infer<typeof probeSchema> {
  try {
    return probeSchema.parse(JSON.parse(text));
  } catch {
    throw undecodable('its streams cannot be described');
  }
}

/** `30000/1001` as a number; null for `0/0`. */
function parseRate(text: string | undefined): number | null {
  const [numerator, denominator] = (text ?? '').split('/').map(Number);
  const rate = (numerator ?? 0) / (denominator ?? 0);
  return Number.isFinite(rate) && rate > 0 ? rate : null;
}
