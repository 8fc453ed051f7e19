import type { Compat } from '../../common/bundle.js';
import type { Random } from '../../common/random.js';
import { MEL_BANDS, type SpeechFeatures } from '../../preprocessing/features.js';
import { fitSpeech, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import { changeSpectrogram } from './brightness.js';
import { randomTimeWarp } from './time-warp.js';

const BRIGHTNESS = 0.3;
const CONTRAST = 0.3;
const BRIGHTNESS_PROBABILITY = 0.7;
const FREQUENCY_MASKS = 3;
const FREQUENCY_WIDTH = 27;
const TIME_MASKS = 4;
const TIME_WIDTH = 50;

interface Spectrogram {
  data: Float32Array;
  length: number;
}

export interface SpeechAugmentation {
  compat: Compat;
  /** Largest shift of the time warp in frames; 0: none. */
  timeWarp: number;
}

/**
 * A random view of a log-mel spectrogram (128, 400): a random crop where it is longer, brightness and contrast, and
 * the time warp, frequency and time masks of SpecAugment (arXiv 1904.08779), filled with 0.
 *
 * @param fixed what evaluation sees, as `evaluationInputs` made it in the same mode; not changed
 * @param long the whole spectrogram where it is longer
 */
export function augmentSpeech(
  fixed: Spectrogram,
  long: SpeechFeatures | null,
  random: Random,
  { compat, timeWarp }: SpeechAugmentation,
): Spectrogram {
  const { data, length } = long
    ? fitSpeech(long.data, long.frames, random.integer(long.frames - SPEECH_FRAMES + 1), compat)
    : { data: fixed.data.slice(), length: fixed.length };
  if (random.uniform() < BRIGHTNESS_PROBABILITY) {
    const gain = 1 + random.between(-CONTRAST, CONTRAST);
    changeSpectrogram(data, length, gain, random.between(-BRIGHTNESS, BRIGHTNESS));
  }
  if (timeWarp > 0) randomTimeWarp(data, length, timeWarp, random);
  maskBands(data, random);
  maskFrames(data, random);
  return { data, length };
}

function maskBands(data: Float32Array, random: Random): void {
  for (let mask = 0; mask < FREQUENCY_MASKS; mask++) {
    const width = Math.floor(random.between(0, FREQUENCY_WIDTH));
    const first = random.integer(MEL_BANDS - width);
    data.fill(0, first * SPEECH_FRAMES, (first + width) * SPEECH_FRAMES);
  }
}

function maskFrames(data: Float32Array, random: Random): void {
  for (let mask = 0; mask < TIME_MASKS; mask++) {
    const width = Math.floor(random.between(0, TIME_WIDTH));
    const first = random.integer(SPEECH_FRAMES - width);
    for (let band = 0; band < MEL_BANDS; band++) {
      data.fill(0, band * SPEECH_FRAMES + first, band * SPEECH_FRAMES + first + width);
    }
  }
}
