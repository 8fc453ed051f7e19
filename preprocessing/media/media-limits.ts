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
}

export const DEFAULT_LIMITS: MediaLimits = {
  maxSeconds: 600,
  maxPixels: 4096 * 2304,
  maxStreams: 16,
  timeoutSeconds: 120,
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
