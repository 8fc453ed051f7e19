import type { Emotion } from '../../common/labels.js';
import type { Random } from '../../common/random.js';

/** How a sentence is said. */
export interface Prosody {
  /** Mean pitch, and how far stressed and unstressed syllables lie from it, in semitones over the speaker's base pitch. */
  pitch: number;
  range: number;
  /** Pitch at the end less pitch at the start, and the further movement within the last syllable, semitones. */
  slope: number;
  finalRise: number;
  /** Syllables a second. */
  rate: number;
  /** Attenuation of the voice at 3 kHz, dB. */
  tilt: number;
  /** Breath noise, 0..1. */
  breath: number;
  /** Depth of a tremor of pitch (semitones) at 7 Hz; loudness trembles with it. */
  tremor: number;
  /** Irregularity of the glottal period, as a share of it. */
  jitter: number;
  /** 0..1, see `Control.creak`. */
  creak: number;
  /** Share of each syllable that is a gap. */
  staccato: number;
  /** Chance of a pause after a syllable. */
  pauses: number;
  /** Loudness of stressed and unstressed syllables around the mean, and the change from start to end, dB. */
  dynamics: number;
  fading: number;
  /** Seconds in which a syllable reaches its loudness. */
  attack: number;
  /** Factor on the formants: a smile shortens the vocal tract, pushed-out lips lengthen it. */
  formantShift: number;
}

/**
 * Directions after K. R. Scherer, "Vocal communication of emotion" (Speech Communication 40, 2003), table 2, and
 * Juslin & Laukka (Psychological Bulletin 129, 2003), table 7; made strong, as an actor would.
 */
const PROFILES: Record<Emotion, Prosody> = {
  hap: {
    pitch: 8,
    range: 5,
    slope: 1,
    finalRise: 1,
    rate: 4.8,
    tilt: 12,
    breath: 0.03,
    tremor: 0,
    jitter: 0.008,
    creak: 0,
    staccato: 0.05,
    pauses: 0.02,
    dynamics: 6,
    fading: 0,
    attack: 0.02,
    formantShift: 1.1,
  },
  ang: {
    pitch: 1,
    range: 1.5,
    slope: -4,
    finalRise: -2,
    rate: 6,
    tilt: 0,
    breath: 0.05,
    tremor: 0,
    jitter: 0.05,
    creak: 0.15,
    staccato: 0.35,
    pauses: 0.03,
    dynamics: 2,
    fading: 0,
    attack: 0.005,
    formantShift: 1.03,
  },
  dis: {
    pitch: -6,
    range: 1,
    slope: -3,
    finalRise: -2,
    rate: 3.0,
    tilt: 2,
    breath: 0.02,
    tremor: 0,
    jitter: 0.04,
    creak: 0.85,
    staccato: 0,
    pauses: 0.05,
    dynamics: 2,
    fading: -4,
    attack: 0.04,
    formantShift: 0.84,
  },
  fea: {
    pitch: 7,
    range: 0.6,
    slope: 1.5,
    finalRise: 0,
    rate: 7,
    tilt: 13,
    breath: 3,
    tremor: 1.2,
    jitter: 0.03,
    creak: 0,
    staccato: 0.1,
    pauses: 0.14,
    dynamics: 2,
    fading: 0,
    attack: 0.02,
    formantShift: 1.0,
  },
  sad: {
    pitch: -1,
    range: 0.8,
    slope: -4,
    finalRise: -1.5,
    rate: 2.4,
    tilt: 54,
    breath: 0.01,
    tremor: 0.15,
    jitter: 0.012,
    creak: 0,
    staccato: 0.08,
    pauses: 0.4,
    dynamics: 1.5,
    fading: -11,
    attack: 0.06,
    formantShift: 0.96,
  },
  neu: {
    pitch: 0,
    range: 0.5,
    slope: -1.5,
    finalRise: -1,
    rate: 5.2,
    tilt: 26,
    breath: 0.01,
    tremor: 0,
    jitter: 0.008,
    creak: 0,
    staccato: 0.12,
    pauses: 0.04,
    dynamics: 0.5,
    fading: -2,
    attack: 0.025,
    formantShift: 1,
  },
  sur: {
    pitch: 4,
    range: 1,
    slope: 11,
    finalRise: 8,
    rate: 2.9,
    tilt: 3,
    breath: 0.45,
    tremor: 0,
    jitter: 0.008,
    creak: 0,
    staccato: 0.05,
    pauses: 0.02,
    dynamics: 1.5,
    fading: 4,
    attack: 0.03,
    formantShift: 1.03,
  },
};

const INTENSITY = { low: 0.85, high: 1.15 } as const;

/** One way of saying a sentence: the emotion's profile at a random intensity, each part a little off. */
export function drawProsody(emotion: Emotion, random: Random): Prosody {
  const full = PROFILES[emotion];
  const rest = PROFILES.neu;
  const intensity = random.between(INTENSITY.low, INTENSITY.high);
  const draw = (key: keyof Prosody, spread: number) =>
    rest[key] + (full[key] - rest[key]) * intensity + spread * random.normal();
  const positive = (key: keyof Prosody, spread: number) => Math.max(0, draw(key, spread));
  return {
    pitch: draw('pitch', 1),
    range: positive('range', 0.3),
    slope: draw('slope', 1),
    finalRise: draw('finalRise', 0.8),
    rate: Math.max(2, draw('rate', 0.35)),
    tilt: positive('tilt', 1.5),
    breath: positive('breath', 0.03),
    tremor: positive('tremor', 0.1),
    jitter: positive('jitter', 0.004),
    creak: Math.min(0.85, positive('creak', 0.04)),
    staccato: Math.min(0.4, positive('staccato', 0.02)),
    pauses: positive('pauses', 0.02),
    dynamics: positive('dynamics', 0.3),
    fading: draw('fading', 1),
    attack: Math.max(0.004, full.attack),
    formantShift: draw('formantShift', 0.012),
  };
}
