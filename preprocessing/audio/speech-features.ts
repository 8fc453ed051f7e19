import type { Compat } from '../../common/bundle.js';
import type { Missing, SpeechFeatures } from '../features.js';
import { SAMPLE_RATE } from '../media/decode.js';
import { melDecibels, normalisedLogMel } from './log-mel.js';
import { FRAME_LENGTH, type SampleSpan, trimSilence } from './trim.js';
import { wiener } from './wiener.js';

/** Sound whose loudest 32 ms stay below this RMS (-70 dB of full scale) is silence, such as a codec leaves it. */
const SILENCE_RMS = 10 ** (-70 / 20);
/** What the zeros become before the Wiener filter. */
const ZERO_REPLACEMENT = 1e-10;

export interface SpeechResult {
  features: SpeechFeatures | Missing;
  /** The samples between the silent ends; null when there is nothing to hear. */
  span: SampleSpan | null;
}

/**
 * Speech features of one clip: trim, Wiener filter, log-mel spectrogram.
 *
 * @param pcm first channel at 16 kHz
 * @returns `missing` with the reason for silent sound and for less than one analysis frame (32 ms) of it
 */
export function speechFeatures(pcm: Int16Array, compat: Compat): SpeechResult {
  const samples = new Float64Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) samples[i] = pcm[i]! / 32768;
  const { start, end, loudest } = trimSilence(samples);
  if (loudest < SILENCE_RMS) return { features: { status: 'missing', reason: 'the sound is silent' }, span: null };
  if (end - start < FRAME_LENGTH) {
    const milliseconds = (((end - start) * 1000) / SAMPLE_RATE).toFixed(0);
    const reason = `only ${milliseconds} ms of sound were found; 32 ms are needed`;
    return { features: { status: 'missing', reason }, span: null };
  }
  const trimmed = samples.slice(start, end);
  for (let i = 0; i < trimmed.length; i++) if (trimmed[i] === 0) trimmed[i] = ZERO_REPLACEMENT;
  const decibels = melDecibels(wiener(trimmed), compat);
  return {
    features: { status: 'used', data: normalisedLogMel(decibels, compat), frames: decibels.frames },
    span: { start, end },
  };
}
