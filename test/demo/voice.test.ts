import FFT from 'fft.js';
import { describe, expect, it } from 'vitest';
import { EMOTIONS, type Emotion } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { SAMPLE_RATE } from '../../demo/data/formant-synth.js';
import { makeSpeaker, type Voice } from '../../demo/data/speakers.js';
import { speak } from '../../demo/data/voice.js';

const SECONDS = 2.25;
const FRAME = 1024;

function say(voice: Voice, emotion: Emotion, take: number): Float32Array {
  return speak(voice, emotion, SECONDS, Random.for(11, emotion, take)).samples;
}

/** Mean power spectrum over the whole utterance, one value a bin of 15.6 Hz. */
function spectrum(samples: Float32Array): number[] {
  const fft = new FFT(FRAME);
  const sum = new Array<number>(FRAME / 2).fill(0);
  const out = new Float64Array(2 * FRAME);
  for (let start = 0; start + FRAME <= samples.length; start += FRAME) {
    fft.realTransform(out, Array.from(samples.subarray(start, start + FRAME)));
    for (let bin = 0; bin < sum.length; bin++) sum[bin]! += out[2 * bin]! ** 2 + out[2 * bin + 1]! ** 2;
  }
  return sum;
}

/** Decibels of the power above 2 kHz against all. */
function brightness(samples: Float32Array): number {
  const power = spectrum(samples);
  const total = power.reduce((sum, value) => sum + value, 0);
  const above = power.slice((2000 * FRAME) / SAMPLE_RATE).reduce((sum, value) => sum + value, 0);
  return 10 * Math.log10(above / total);
}

/**
 * Pitch in Hz of the loudest stretch of 64 ms within a span: the shortest lag at which the normalised autocorrelation
 * comes near its maximum. Right to a few per cent, but for an octave error now and then: compare means.
 */
function pitch(samples: Float32Array, from: number, to: number): number {
  const span = samples.subarray(Math.floor(from * samples.length), Math.floor(to * samples.length));
  const energy = (start: number) => span.subarray(start, start + FRAME).reduce((sum, value) => sum + value * value, 0);
  let start = 0;
  for (let at = 0; at + FRAME <= span.length; at += 128) if (energy(at) > energy(start)) start = at;
  const frame = span.subarray(start, start + FRAME);
  const correlation = (lag: number) => {
    let [product, a, b] = [0, 1e-9, 1e-9];
    for (let i = lag; i < FRAME; i++) {
      product += frame[i]! * frame[i - lag]!;
      a += frame[i]! ** 2;
      b += frame[i - lag]! ** 2;
    }
    return product / Math.sqrt(a * b);
  };
  const lags = Array.from({ length: 200 }, (_, i) => i + Math.floor(SAMPLE_RATE / 500));
  const values = lags.map(correlation);
  const near = 0.93 * Math.max(...values);
  const first = values.findIndex(
    (value, i) => value > near && value >= (values[i - 1] ?? 1) && value >= (values[i + 1] ?? 1),
  );
  return SAMPLE_RATE / lags[first]!;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const voices = Array.from({ length: 8 }, (_, id) => makeSpeaker(1, id).voice);
const over = (emotion: Emotion, measure: (samples: Float32Array) => number) =>
  mean(voices.map((voice, take) => measure(say(voice, emotion, take))));

describe('the synthetic voice', () => {
  it.each(EMOTIONS)('says %s in finite samples that do not clip, for the asked time', (emotion) => {
    const samples = say(voices[0]!, emotion, 0);
    expect(samples.length).toBe(SECONDS * SAMPLE_RATE);
    expect(samples.every((sample) => Math.abs(sample) < 1)).toBe(true);
    expect(Math.max(...samples)).toBeGreaterThan(0.3);
  });

  it('is the same for the same seed', () => {
    const bytes = () => Buffer.from(say(voices[0]!, 'fea', 3).buffer);
    expect(bytes().equals(bytes())).toBe(true);
  });

  it('is brighter in anger than in sadness, by more than 6 dB', () => {
    expect(over('ang', brightness) - over('sad', brightness)).toBeGreaterThan(6);
  });

  it('is higher in fear than in sadness, by more than a fifth', () => {
    const middle = (samples: Float32Array) => pitch(samples, 0.2, 0.8);
    expect(over('fea', middle) / over('sad', middle)).toBeGreaterThan(1.5);
  });

  it('rises in surprise and falls in sadness', () => {
    const rise = (samples: Float32Array) => pitch(samples, 0.7, 1) / pitch(samples, 0, 0.3);
    expect(over('sur', rise)).toBeGreaterThan(1.2);
    expect(over('sad', rise)).toBeLessThan(0.95);
  });
});
