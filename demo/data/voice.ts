import type { Emotion } from '../../common/labels.js';
import type { Random } from '../../common/random.js';
import { CONTROL_RATE, type Control, synthesize } from './formant-synth.js';
import { drawProsody, type Prosody } from './prosody.js';
import type { Voice } from './speakers.js';

type Formants = readonly [number, number, number];

/** Mean formants of men's vowels, Hz: Peterson & Barney (JASA 24, 1952), table II. */
const VOWELS: readonly Formants[] = [
  [270, 2290, 3010],
  [390, 1990, 2550],
  [530, 1840, 2480],
  [730, 1090, 2440],
  [570, 840, 2410],
  [300, 870, 2240],
  [640, 1190, 2390],
];
const NASAL: Formants = [250, 1300, 2300];
const GLIDES: readonly Formants[] = [
  [280, 2200, 2900],
  [300, 700, 2200],
  [350, 1100, 1600],
];
const FRICATION_PEAKS = [2600, 4200, 6000] as const;

/** Level of the room's noise against the loudest speech. */
const NOISE_FLOOR = 0.0008;
const PEAK = 0.7;
const SILENT: Control = {
  pitch: 100,
  voicing: 0,
  aspiration: 0,
  frication: 0,
  fricationPeak: 3000,
  formants: [500, 1500, 2500],
  tilt: 10,
  creak: 0,
  jitter: 0,
};

export interface Utterance {
  /** Mono samples at 16 kHz, within [-1, 1]. */
  samples: Float32Array;
  /** How far speech itself opens the mouth, 0..1, at 200 values a second. */
  opening: Float32Array;
}

/** A nonsense sentence of `seconds`, silence at both ends included, in a speaker's voice and an emotion's prosody. */
export function speak(voice: Voice, emotion: Emotion, seconds: number, random: Random): Utterance {
  const prosody = drawProsody(emotion, random);
  const total = Math.round(seconds * CONTROL_RATE);
  const lead = Math.round(random.between(0.1, 0.2) * CONTROL_RATE);
  const tail = Math.round(random.between(0.1, 0.2) * CONTROL_RATE);
  const spoken = smooth(sentence(voice, prosody, total - lead - tail, random), prosody);
  const controls = [...new Array<Control>(lead).fill(SILENT), ...spoken, ...new Array<Control>(tail).fill(SILENT)];
  const samples = synthesize(controls, voice.formantScale * prosody.formantShift, random);
  let peak = 1e-9;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  for (let i = 0; i < samples.length; i++) samples[i] = PEAK * (samples[i]! / peak + NOISE_FLOOR * random.normal());
  // An open vowel has a high first formant.
  const opening = Float32Array.from(controls, (c) => Math.min(1, c.voicing) * Math.min(1, c.formants[0] / 700));
  return { samples, opening };
}

function sentence(voice: Voice, prosody: Prosody, length: number, random: Random): Control[] {
  const controls: Control[] = [];
  const mean = CONTROL_RATE / (prosody.rate * voice.rate);
  let stressed = false;
  while (controls.length < length) {
    const left = length - controls.length;
    let size = Math.round(mean * random.between(0.8, 1.2));
    // A rest too short for a syllable goes to the last one, which is long in speech anyway.
    const last = left - size < mean * 0.8;
    if (last) size = left;
    // Stressed and unstressed syllables take turns.
    stressed = !stressed;
    const accent = (stressed ? 1 : -1) * (0.7 + 0.3 * random.normal());
    const from = controls.length / length;
    const to = (controls.length + size) / length;
    controls.push(...syllable(voice, prosody, { size, from, to, accent, last }, random));
    if (!last && random.uniform() < prosody.pauses)
      for (let i = Math.round(random.between(0.1, 0.2) * CONTROL_RATE); i > 0; i--) controls.push(SILENT);
  }
  return controls.slice(0, length);
}

interface Place {
  /** Control frames. */
  size: number;
  /** Where in the sentence it starts and ends, 0..1. */
  from: number;
  to: number;
  accent: number;
  last: boolean;
}

function syllable(voice: Voice, prosody: Prosody, place: Place, random: Random): Control[] {
  const vowel = random.pick(VOWELS);
  const gap = Math.round(place.size * prosody.staccato);
  const onset = Math.min(Math.round(random.between(0.045, 0.075) * CONTROL_RATE), Math.floor(place.size / 3));
  const loudness = (prosody.dynamics * place.accent + prosody.fading * (place.from - 0.5)) / 20;
  const level = 0.6 * 10 ** Math.min(0.2, loudness);
  const kind = random.pick(['stop', 'fricative', 'nasal', 'glide', 'vowel'] as const);
  const glide = random.pick(GLIDES);
  const fricationPeak = random.pick(FRICATION_PEAKS);
  const attack = Math.max(1, prosody.attack * CONTROL_RATE);
  const frames: Control[] = [];
  for (let i = 0; i < place.size; i++) {
    const share = i / place.size;
    const time = place.from + (place.to - place.from) * share;
    const rise = place.last ? prosody.finalRise * share : 0;
    const tremor = Math.sin((2 * Math.PI * 7 * (place.from * 1000 + i)) / CONTROL_RATE);
    const semitones =
      prosody.pitch + prosody.range * place.accent + prosody.slope * (time - 0.5) + rise + prosody.tremor * tremor;
    const base: Control = {
      pitch: Math.max(55, voice.basePitch * 2 ** (semitones / 12)),
      voicing: level * (1 + 0.35 * prosody.tremor * tremor),
      aspiration: level * prosody.breath,
      frication: 0,
      fricationPeak,
      formants: vowel,
      tilt: prosody.tilt,
      creak: prosody.creak,
      jitter: prosody.jitter,
    };
    const speaking = place.size - gap;
    if (i >= speaking) frames.push({ ...base, voicing: 0, aspiration: 0 });
    else if (i < onset) frames.push(consonant(base, kind, i, onset, glide, prosody.tilt));
    else {
      const into = kind === 'vowel' ? i : i - onset;
      const fade = Math.min(1, into / attack, (speaking - i) / 8);
      frames.push({ ...base, voicing: base.voicing * fade, aspiration: base.aspiration * fade });
    }
  }
  return frames;
}

function consonant(
  base: Control,
  kind: 'stop' | 'fricative' | 'nasal' | 'glide' | 'vowel',
  i: number,
  onset: number,
  glide: Formants,
  tilt: number,
): Control {
  // A soft voice hisses softly too.
  const hiss = 0.16 * base.voicing * 10 ** (-Math.max(0, tilt - 8) / 30);
  switch (kind) {
    case 'stop':
      return { ...base, voicing: 0, aspiration: 0, frication: i >= onset - 3 ? 2 * hiss : 0 };
    case 'fricative':
      return { ...base, voicing: 0, aspiration: 0, frication: hiss };
    case 'nasal':
      return { ...base, voicing: base.voicing * 0.45, formants: NASAL };
    case 'glide':
      return { ...base, voicing: base.voicing * 0.7, formants: glide };
    case 'vowel':
      return base;
  }
}

/** Tongue and lips move slower than the plan jumps: formants and pitch glide, loudness nearly jumps. */
function smooth(controls: readonly Control[], prosody: Prosody): Control[] {
  const quick = 1 - Math.exp(-1 / Math.max(1, prosody.attack * CONTROL_RATE));
  let previous = controls[0] ?? SILENT;
  return controls.map((control) => {
    const slow = (a: number, b: number, share: number) => a + (b - a) * share;
    const [f1, f2, f3] = control.formants;
    previous = {
      ...control,
      pitch: control.voicing > 0 ? slow(previous.pitch, control.pitch, 0.25) : previous.pitch,
      voicing: slow(previous.voicing, control.voicing, Math.max(0.3, quick)),
      aspiration: slow(previous.aspiration, control.aspiration, 0.4),
      formants: [
        slow(previous.formants[0], f1, 0.25),
        slow(previous.formants[1], f2, 0.25),
        slow(previous.formants[2], f3, 0.25),
      ],
    };
    return previous;
  });
}
