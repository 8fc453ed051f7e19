import type { Random } from '../../common/random.js';
import { MEL_BANDS, type SpeechFeatures } from '../../preprocessing/features.js';
import { fitSpeech, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';

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

/**
 * A random view of a log-mel spectrogram (128, 400): a random crop where it is longer, brightness and contrast, and
 * the frequency and time masks of SpecAugment (arXiv 1904.08779), filled with 0.
 */
export function augmentSpeech(fixed: Spectrogram, long: SpeechFeatures | null, random: Random): Spectrogram {
  const { data, length } = long
    ? fitSpeech(long.data, long.frames, random.integer(long.frames - SPEECH_FRAMES + 1))
    : { data: fixed.data.slice(), length: fixed.length };
  if (random.uniform() < BRIGHTNESS_PROBABILITY) {
    changeBrightness(data, length, random.between(-CONTRAST, CONTRAST), random.between(-BRIGHTNESS, BRIGHTNESS));
  }
  for (let mask = 0; mask < FREQUENCY_MASKS; mask++) {
    const width = Math.floor(random.between(0, FREQUENCY_WIDTH));
    const first = random.integer(MEL_BANDS - width);
    data.fill(0, first * SPEECH_FRAMES, (first + width) * SPEECH_FRAMES);
  }
  for (let mask = 0; mask < TIME_MASKS; mask++) {
    const width = Math.floor(random.between(0, TIME_WIDTH));
    const first = random.integer(SPEECH_FRAMES - width);
    for (let band = 0; band < MEL_BANDS; band++) {
      data.fill(0, band * SPEECH_FRAMES + first, band * SPEECH_FRAMES + first + width);
    }
  }
  return { data, length };
}

/** (1 + contrast) * x, plus brightness times the mean of that, kept in [0, 1]; on the real frames only. */
function changeBrightness(data: Float32Array, length: number, contrast: number, brightness: number): void {
  const gain = 1 + contrast;
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
