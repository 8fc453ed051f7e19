/** A run of samples: `end` is exclusive. */
export interface SampleSpan {
  start: number;
  end: number;
}

/** Frame and hop of all audio analysis, in samples of 16 kHz. */
export const FRAME_LENGTH = 512;
export const HOP_LENGTH = 256;

/** Ends that are this much quieter than the loudest frame are cut off. */
const TOP_DB = 20;
const AMIN = 1e-10;

/**
 * The span between the first and the last frame that are within 20 dB of the loudest: librosa 0.11
 * `effects.trim(top_db=20, frame_length=512, hop_length=256)`, with frames centred and padded by zeros.
 *
 * @param samples in [-1, 1]
 * @returns the span, and the RMS of the loudest frame
 */
export function trimSilence(samples: Float64Array): SampleSpan & { loudest: number } {
  const frames = 1 + Math.floor(samples.length / HOP_LENGTH);
  const power = new Float64Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    const from = Math.max(0, frame * HOP_LENGTH - FRAME_LENGTH / 2);
    const to = Math.min(samples.length, frame * HOP_LENGTH + FRAME_LENGTH / 2);
    let sum = 0;
    for (let i = from; i < to; i++) sum += samples[i]! * samples[i]!;
    power[frame] = sum / FRAME_LENGTH;
  }
  const peak = power.reduce((most, value) => Math.max(most, value), 0);
  const reference = 10 * Math.log10(Math.max(AMIN, peak));
  const audible = (value: number) => 10 * Math.log10(Math.max(AMIN, value)) - reference > -TOP_DB;
  const first = power.findIndex(audible);
  const last = power.findLastIndex(audible);
  return {
    start: first * HOP_LENGTH,
    end: Math.min(samples.length, (last + 1) * HOP_LENGTH),
    loudest: Math.sqrt(peak),
  };
}
