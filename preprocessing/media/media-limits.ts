import { MerError } from '../../common/errors.js';
import type { Demuxer } from './sniff.js';

/** Bounds on what one uploaded file may cost. */
export interface MediaLimits {
  /** Longest clip in seconds. */
  maxSeconds: number;
  /** Most pixels of one video frame. */
  maxPixels: number;
  /** Most streams in the container. */
  maxStreams: number;
  /** Wall-clock seconds that each ffmpeg process may take before it is killed. */
  timeoutSeconds: number;
  /** Most bytes of raw pictures and sound that one ffmpeg process may put out. */
  maxOutputBytes: number;
}

export const DEFAULT_LIMITS: MediaLimits = {
  maxSeconds: 600,
  maxPixels: 4096 * 2304,
  maxStreams: 16,
  timeoutSeconds: 120,
  // Ten minutes of 1280 x 720 at 30 frames a second are 50 GB; a stated rate of thousands of frames would be more.
  maxOutputBytes: 2 ** 36,
};

/** Largest single allocation of ffmpeg in bytes: room for a few frames of the largest size. */
const MAX_ALLOCATION = 2 ** 28;

/** Options of ffprobe and ffmpeg for reading a file that nobody has vouched for; they go before `-i`. */
export function hostileInputOptions(demuxer: Demuxer, limits: MediaLimits): string[] {
  return [
    ...['-v', 'error'],
    ...['-protocol_whitelist', 'file,pipe,fd'],
    ...['-max_alloc', `${MAX_ALLOCATION}`],
    ...['-max_pixels', `${limits.maxPixels}`],
    ...['-f', demuxer],
  ];
}

/** What becomes of a clip that nobody waits for any more. */
export function interrupted(): MerError {
  return new MerError('interrupted', 'Nobody waits for this clip any more.', 'Send it again.');
}

/** Counts what a decoder puts out. A file can state a rate of frames at which a few kilobytes become terabytes. */
export class OutputMeter {
  #left: number;

  constructor({ maxOutputBytes }: MediaLimits) {
    this.#left = maxOutputBytes;
  }

  /** @throws MerError too_large */
  add(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    throw new MerError(
      'too_large',
      'The clip decodes to more pictures and sound than are taken.',
      'Send a clip that is shorter, smaller or has fewer frames a second.',
    );
  }
}
