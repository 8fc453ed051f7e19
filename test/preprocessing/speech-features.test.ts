import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeNpzEntry } from '../../common/npz.js';
import { melDecibels, normalisedLogMel } from '../../preprocessing/audio/log-mel.js';
import { speechFeatures } from '../../preprocessing/audio/speech-features.js';
import { trimSilence } from '../../preprocessing/audio/trim.js';
import { wiener } from '../../preprocessing/audio/wiener.js';
import { MEL_BANDS } from '../../preprocessing/features.js';
import { goldenFile, readFloat64 } from './helpers.js';

const FRAMES = 275;

function goldenPcm(): Int16Array {
  const array = decodeNpzEntry(fs.readFileSync(goldenFile('audio_decode.npz')), 'pcm16_16k_ch0', 'golden');
  return Int16Array.from(array.data);
}

const samples = Float64Array.from(goldenPcm(), (value) => value / 32768);

function goldenWiener(): Float64Array {
  return readFloat64(goldenFile('audio_features_librosa_011.npz'), 'wiener');
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    largest = difference <= largest ? largest : difference;
  }
  return largest;
}

/** Without the first and the last frame, which librosa 0.8 pads by reflection. */
function interior(spectrogram: ArrayLike<number>): number[] {
  return Array.from(spectrogram).filter((_, i) => i % FRAMES !== 0 && i % FRAMES !== FRAMES - 1);
}

describe('speech features', () => {
  it('trims to the samples that librosa trims to', () => {
    expect(trimSilence(samples)).toMatchObject({ start: 7424, end: 77568 });
  });

  it('filters as scipy.signal.wiener within rounding of float64', () => {
    const { start, end } = trimSilence(samples);
    const trimmed = samples.slice(start, end).map((value) => (value === 0 ? 1e-10 : value));
    expect(largestDifference(wiener(trimmed), goldenWiener())).toBeLessThan(1e-12);
  });

  // librosa multiplies by the mel bank in another order of summation: 1e-5 dB is far below what the network can see.
  it('equals the reference of librosa 0.11 in seed mode, in dB and normalised', () => {
    const golden = goldenFile('audio_features_librosa_011.npz');
    const decibels = melDecibels(goldenWiener(), 'seed');
    expect(largestDifference(decibels.data, readFloat64(golden, 'amp_db'))).toBeLessThan(1e-5);
    const normalised = normalisedLogMel(decibels, 'seed');
    expect(largestDifference(normalised, readFloat64(golden, 'log_mel_norm'))).toBeLessThan(1e-5);
  });

  it('equals the reference of librosa 0.8 in seed mode but for its reflected ends', () => {
    const golden = goldenFile('audio_features_librosa_080.npz');
    const decibels = melDecibels(goldenWiener(), 'seed');
    expect(largestDifference(interior(decibels.data), interior(readFloat64(golden, 'amp_db')))).toBeLessThan(1e-5);
  });

  // Made by librosa 0.11 from the golden samples: effects.trim, zeros to 1e-10, scipy.signal.wiener,
  // power_to_db(feature.melspectrogram(n_fft=512, hop_length=256, n_mels=128, fmin=80, fmax=8000), ref=np.max).
  // Stored as float32, so 1e-4 dB is ten of its roundings.
  it('equals librosa melspectrogram and power_to_db in default mode', () => {
    const array = decodeNpzEntry(fs.readFileSync(goldenFile('librosa_default_mel.npz')), 'db', 'golden');
    const { features } = speechFeatures(goldenPcm(), 'default');
    if (features.status !== 'used') throw new Error(features.reason);
    const decibels = features.data.map((value) => value * 80 - 80);
    expect(features.frames).toBe(FRAMES);
    expect(largestDifference(decibels, array.data)).toBeLessThan(1e-4);
  });

  it.each([
    ['no samples', new Int16Array(0), 'the sound is silent'],
    ['zeros', new Int16Array(16000), 'the sound is silent'],
    ['the last bit of the converter', new Int16Array(16000).map((_, i) => i % 2), 'the sound is silent'],
    ['one sample', Int16Array.of(9000), 'only 0 ms of sound were found; 32 ms are needed'],
    ['19 ms', new Int16Array(300).fill(5000), 'only 19 ms of sound were found; 32 ms are needed'],
  ])('says that speech is missing for %s', (_, pcm, reason) => {
    for (const compat of ['default', 'seed'] as const) {
      expect(speechFeatures(pcm, compat)).toEqual({ features: { status: 'missing', reason }, span: null });
    }
  });

  it.each([
    ['a constant', new Int16Array(16000).fill(1000)],
    ['full scale', new Int16Array(16000).map((_, i) => (i % 2 ? 32767 : -32768))],
    ['silence around one click', new Int16Array(16000).map((_, i) => (i === 8000 ? 30000 : 0))],
    ['ten minutes', new Int16Array(9_600_000).map((_, i) => 8000 * Math.sin(i * i * 1e-7))],
  ])('gives finite values in [0, 1] for %s in both modes', (_, pcm) => {
    for (const compat of ['default', 'seed'] as const) {
      const { features } = speechFeatures(pcm, compat);
      if (features.status !== 'used') throw new Error(features.reason);
      expect(features.data.length).toBe(MEL_BANDS * features.frames);
      expect(features.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });
});
