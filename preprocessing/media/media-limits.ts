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
