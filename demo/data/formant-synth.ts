import type { Random } from '../../common/random.js';

export const SAMPLE_RATE = 16000;
/** The synthesizer's controls change every 5 ms, as in Klatt (1980). */
export const CONTROL_RATE = 200;
const HOP = SAMPLE_RATE / CONTROL_RATE;

/** What the vocal apparatus does for 5 ms. */
export interface Control {
  /** Fundamental frequency, Hz. */
  pitch: number;
  /** Amplitude of the voice source, of breath through the vocal tract, and of friction noise; 0..1. */
  voicing: number;
  aspiration: number;
  frication: number;
  /** Where the friction noise has its peak, Hz. */
  fricationPeak: number;
  /** Centre frequencies of the first three formants, Hz. */
  formants: readonly [number, number, number];
  /** Attenuation of the voice source at 3 kHz, dB: a soft voice has much of it. */
  tilt: number;
  /** 0..1: how much weaker every second glottal pulse is (creak). */
  creak: number;
  /** Random deviation of each glottal period, as a share of it. */
  jitter: number;
}

const BANDWIDTHS = [70, 100, 160, 260, 320, 600, 800] as const;
/**
 * From the fourth on, formants hardly move in speech. The last two stand for all between 5 and 8 kHz, without which
 * the voice is muffled; they stay where they are whatever the length of the vocal tract.
 */
const HIGH_FORMANTS = [3500, 4500] as const;
const TOP_FORMANTS = [5600, 6800] as const;
/** Share of the glottal period in which the glottis is open. */
const OPEN_QUOTIENT = 0.6;

/** A digital resonator: the building block of Klatt (1980), equation 2. */
class Resonator {
  #a = 1;
  #b = 0;
  #c = 0;
  #y1 = 0;
  #y2 = 0;

  tune(frequency: number, bandwidth: number): void {
    const radius = Math.exp((-Math.PI * bandwidth) / SAMPLE_RATE);
    this.#c = -radius * radius;
    this.#b = 2 * radius * Math.cos((2 * Math.PI * frequency) / SAMPLE_RATE);
    this.#a = 1 - this.#b - this.#c;
  }

  next(x: number): number {
    const y = this.#a * x + this.#b * this.#y1 + this.#c * this.#y2;
    this.#y2 = this.#y1;
    this.#y1 = y;
    return y;
  }
}

/**
 * Speech from control frames, by a cascade formant synthesizer: glottal pulses and noise through a chain of resonators
 * (D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67(3), 1980), with the polynomial
 * glottal pulse of Klatt & Klatt (JASA 87(2), 1990).
 *
 * @param formantScale factor on the first five formants
 * @returns `controls.length * 80` samples at 16 kHz, of no set level
 */
export function synthesize(controls: readonly Control[], formantScale: number, random: Random): Float32Array {
  const out = new Float32Array(controls.length * HOP);
  const cascade = BANDWIDTHS.map(() => new Resonator());
  const friction = new Resonator();
  let phase = 1;
  let period = 1;
  let pulse = 1;
  let odd = false;
  let once = 0;
  let tilted = 0;
  for (const [index, control] of controls.entries()) {
    const scaled = [...control.formants, ...HIGH_FORMANTS].map((frequency) => frequency * formantScale);
    const formants = [...scaled, ...TOP_FORMANTS];
    for (const [i, resonator] of cascade.entries()) resonator.tune(formants[i] ?? 0, BANDWIDTHS[i] ?? 0);
    friction.tune(control.fricationPeak, 1200);
    const pole = tiltPole(control.tilt / 2);
    for (let i = 0; i < HOP; i++) {
      phase += 1 / period;
      if (phase >= 1) {
        phase -= Math.floor(phase);
        odd = !odd;
        pulse = odd ? 1 - control.creak : 1;
        const stretch = odd ? 1 + 0.18 * control.creak : 1;
        period = (SAMPLE_RATE / control.pitch) * stretch * Math.max(0.5, 1 + control.jitter * random.normal());
      }
      const opening = phase / OPEN_QUOTIENT;
      // The derivative of the flow t^2 - t^3 over the open phase: a slow rise, then an abrupt closing.
      const flow = opening < 1 ? pulse * (2 * opening - 3 * opening * opening) : 0;
      once = (1 - pole) * control.voicing * flow + pole * once;
      tilted = (1 - pole) * once + pole * tilted;
      const noise = random.uniform() * 2 - 1;
      const breath = control.aspiration * noise * (opening < 1 ? 0.5 : 0.25);
      let sample = tilted + breath;
      for (const resonator of cascade) sample = resonator.next(sample);
      out[index * HOP + i] = sample + friction.next(control.frication * noise);
    }
  }
  return out;
}

/** Pole of a one-pole low-pass (two of them in a row make the tilt) that attenuates 3 kHz by `decibels`. */
function tiltPole(decibels: number): number {
  if (decibels <= 0) return 0;
  const power = 10 ** (-decibels / 10);
  const cosine = Math.cos((2 * Math.PI * 3000) / SAMPLE_RATE);
  // |H|^2 = (1-p)^2 / (1 - 2 p cos w + p^2) = power, solved for the pole p in [0, 1).
  const b = (1 - power * cosine) / (1 - power);
  return b - Math.sqrt(b * b - 1);
}
