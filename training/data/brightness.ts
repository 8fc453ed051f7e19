import type { Compat } from '../../common/bundle.js';
import { MEL_BANDS } from '../../preprocessing/features.js';
import { SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';

/**
 * Contrast and brightness of bytes, in place: gain * x plus `brightness` times the mean, cut to 0..255 and rounded
 * down, in float32, as the library albumentations does. By default the mean is that of gain * x (its version 1.3.1),
 * in compat seed that of x (version 0.5.2, which the reference was trained with).
 */
export function changeBytes(data: Uint8Array, gain: number, brightness: number, compat: Compat): void {
  let sum = 0;
  for (const value of data) sum += value;
  const mean = sum / Math.max(data.length, 1);
  const shift = Math.fround(compat === 'seed' ? brightness * mean : gain * brightness * mean);
  const table = Uint8Array.from({ length: 256 }, (_, value) =>
    Math.min(255, Math.max(0, Math.fround(Math.fround(Math.fround(gain) * value) + shift))),
  );
  for (let i = 0; i < data.length; i++) data[i] = table[data[i]!]!;
}

/**
 * The same of the first `length` frames of a spectrogram, row-major (128, 400) in [0, 1], in place. For numbers that are no bytes
 * both versions of the library take the mean of gain * x.
 */
export function changeSpectrogram(data: Float32Array, length: number, gain: number, brightness: number): void {
  let sum = 0;
  for (let band = 0; band < MEL_BANDS; band++) {
    for (let frame = 0; frame < length; frame++) sum += data[band * SPEECH_FRAMES + frame]!;
  }
  const shift = (brightness * gain * sum) / (MEL_BANDS * length);
  for (let band = 0; band < MEL_BANDS; band++) {
    for (let i = band * SPEECH_FRAMES; i < band * SPEECH_FRAMES + length; i++) {
      data[i] = Math.min(1, Math.max(0, gain * data[i]! + shift));
    }
  }
}
