import FFT from 'fft.js';
import type { Compat } from '../../common/bundle.js';
import { MEL_BANDS } from '../features.js';
import { SAMPLE_RATE } from '../media/decode.js';
import { melFilters } from './mel-filters.js';
import { FRAME_LENGTH, HOP_LENGTH } from './trim.js';

const BINS = FRAME_LENGTH / 2 + 1;
const TOP_DB = 80;
const AMIN = 1e-10;

/** Periodic Hann window. */
const WINDOW = Float64Array.from(
  { length: FRAME_LENGTH },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME_LENGTH),
);
const FILTERS = melFilters({
  sampleRate: SAMPLE_RATE,
  fftSize: FRAME_LENGTH,
  bands: MEL_BANDS,
  minHz: 80,
  maxHz: 8000,
});

/** A float64 spectrogram, row-major (MEL_BANDS, frames). */
export interface Spectrogram {
  data: Float64Array;
  frames: number;
}

/** Frames of the spectrogram of so many samples. */
export function melFrames(samples: number): number {
  return 1 + Math.floor(samples / HOP_LENGTH);
}

/**
 * Mel spectrogram in dB, of centred frames of 512 samples every 256, padded by zeros (librosa 0.11).
 * - default: |STFT|^2 through the mel bank, dB relative to the clip's maximum: in [-80, 0]
 * - seed: the complex STFT through the mel bank, then the magnitude, dB relative to 1, at most 80 below the maximum
 */
export function melDecibels(samples: Float64Array, compat: Compat): Spectrogram {
  const frames = melFrames(samples.length);
  const data = new Float64Array(MEL_BANDS * frames);
  const fft = new FFT(FRAME_LENGTH);
  const padded = new Float64Array(samples.length + FRAME_LENGTH);
  padded.set(samples, FRAME_LENGTH / 2);
  const windowed = new Float64Array(FRAME_LENGTH);
  const spectrum = new Float64Array(2 * FRAME_LENGTH);
  const power = new Float64Array(BINS);
  let peak = AMIN;
  for (let frame = 0; frame < frames; frame++) {
    const origin = frame * HOP_LENGTH;
    for (let i = 0; i < FRAME_LENGTH; i++) windowed[i] = WINDOW[i]! * padded[origin + i]!;
    fft.realTransform(spectrum, windowed);
    for (let bin = 0; bin < BINS; bin++) power[bin] = spectrum[2 * bin]! ** 2 + spectrum[2 * bin + 1]! ** 2;
    for (let band = 0; band < MEL_BANDS; band++) {
      const { firstBin, weights } = FILTERS[band]!;
      let sum = 0;
      if (compat === 'default') {
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[firstBin + i]!;
      } else {
        let real = 0;
        let imaginary = 0;
        for (let i = 0; i < weights.length; i++) {
          real += weights[i]! * spectrum[2 * (firstBin + i)]!;
          imaginary += weights[i]! * spectrum[2 * (firstBin + i) + 1]!;
        }
        sum = real * real + imaginary * imaginary;
      }
      data[band * frames + frame] = sum;
      if (sum > peak) peak = sum;
    }
  }
  const reference = compat === 'default' ? 10 * Math.log10(peak) : 0;
  const floor = 10 * Math.log10(peak) - reference - TOP_DB;
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.max(10 * Math.log10(Math.max(AMIN, data[i]!)) - reference, floor);
  }
  return { data, frames };
}

/**
 * The network's input, values in [0, 1].
 * - default: (dB + 80) / 80
 * - seed: each frame divided by its largest absolute value (librosa `util.normalize` along axis 0), then (1 + y) / 2
 */
export function normalisedLogMel(decibels: Spectrogram, compat: Compat): Float32Array {
  const { data, frames } = decibels;
  const result = new Float32Array(data.length);
  if (compat === 'default') {
    for (let i = 0; i < data.length; i++) result[i] = (data[i]! + TOP_DB) / TOP_DB;
    return result;
  }
  for (let frame = 0; frame < frames; frame++) {
    let largest = 0;
    for (let i = frame; i < data.length; i += frames) largest = Math.max(largest, Math.abs(data[i]!));
    const scale = largest > 0 ? largest : 1;
    for (let i = frame; i < data.length; i += frames) result[i] = (1 + data[i]! / scale) / 2;
  }
  return result;
}
