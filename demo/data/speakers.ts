import { Random } from '../../common/random.js';
import type { Colour } from './colour.js';

export const HAIR_STYLES = ['short', 'parted', 'long', 'bun'] as const;
export type HairStyle = (typeof HAIR_STYLES)[number];

/** What is drawn of a speaker whatever the expression; sizes are factors around 1. */
export interface Look {
  skin: Colour;
  hair: Colour;
  hairStyle: HairStyle;
  iris: Colour;
  background: Colour;
  clothes: Colour;
  faceWidth: number;
  jawWidth: number;
  chinLength: number;
  eyeSize: number;
  eyeSpacing: number;
  noseWidth: number;
  lipThickness: number;
  mouthWidth: number;
  browThickness: number;
  /** Resting brow height and mouth curvature in units of the expression parameters. */
  restingBrow: number;
  restingMouth: number;
}

/** What is heard of a speaker whatever the emotion. */
export interface Voice {
  /** Fundamental frequency at rest, Hz. */
  basePitch: number;
  /** Factor on all formants: the shorter the vocal tract, the larger. */
  formantScale: number;
  /** Factor on the syllable rate. */
  rate: number;
}

export interface Speaker {
  id: number;
  look: Look;
  voice: Voice;
}

const SKINS: readonly Colour[] = [
  [246, 212, 184],
  [236, 194, 160],
  [222, 174, 136],
  [200, 148, 110],
  [172, 120, 86],
  [150, 102, 74],
];
const HAIRS: readonly Colour[] = [
  [28, 24, 24],
  [62, 40, 28],
  [44, 32, 30],
  [104, 66, 38],
  [120, 52, 30],
  [112, 110, 112],
  [172, 128, 72],
];
/** Of SKINS and HAIRS: the darker skins go with the first, dark hair colours only. */
const DARK_SKINS_FROM = 4;
const DARK_HAIRS = 3;
const IRISES: readonly Colour[] = [
  [84, 54, 32],
  [60, 92, 122],
  [86, 104, 62],
  [50, 36, 28],
];
const BACKGROUNDS: readonly Colour[] = [
  [118, 142, 166],
  [162, 150, 128],
  [120, 150, 124],
  [158, 128, 138],
  [96, 104, 118],
  [188, 188, 184],
  [136, 124, 164],
];
const CLOTHES: readonly Colour[] = [
  [52, 72, 110],
  [120, 48, 52],
  [56, 92, 72],
  [70, 66, 72],
  [196, 186, 166],
  [148, 104, 56],
];

/**
 * Draws a speaker. Consecutive ids walk through the palettes, so that a dozen speakers cover them:
 * a model trained on few speakers then still meets every skin and background before it meets new people.
 */
export function makeSpeaker(seed: number, id: number): Speaker {
  const random = Random.for(seed, 'speaker', id);
  const at = <T>(list: readonly T[], stride: number): T => {
    const item = list[(id * stride + Math.floor(id / list.length)) % list.length];
    if (item === undefined) throw new RangeError('empty palette');
    return item;
  };
  const jitter = (colour: Colour): Colour => {
    const shift = random.between(-10, 10);
    return [colour[0] + shift, colour[1] + shift, colour[2] + shift];
  };
  const high = id % 2 === 0;
  const hairs = id % SKINS.length >= DARK_SKINS_FROM ? HAIRS.slice(0, DARK_HAIRS) : HAIRS;
  return {
    id,
    look: {
      skin: jitter(at(SKINS, 1)),
      hair: jitter(at(hairs, 4)),
      hairStyle: high ? random.pick(HAIR_STYLES) : random.pick(['short', 'parted'] as const),
      iris: at(IRISES, 1),
      background: jitter(at(BACKGROUNDS, 3)),
      clothes: jitter(at(CLOTHES, 1)),
      faceWidth: random.between(0.94, 1.07),
      jawWidth: random.between(0.9, 1.1) * (high ? 0.96 : 1.04),
      chinLength: random.between(0.95, 1.06),
      eyeSize: random.between(0.93, 1.08) * (high ? 1.04 : 0.97),
      eyeSpacing: random.between(0.96, 1.05),
      noseWidth: random.between(0.88, 1.14),
      lipThickness: random.between(0.85, 1.15) * (high ? 1.12 : 0.9),
      mouthWidth: random.between(0.94, 1.08),
      browThickness: random.between(0.85, 1.15) * (high ? 0.9 : 1.15),
      restingBrow: random.between(-0.1, 0.1),
      restingMouth: random.between(-0.08, 0.08),
    },
    voice: {
      basePitch: high ? random.between(175, 215) : random.between(105, 135),
      formantScale: high ? random.between(1.1, 1.2) : random.between(0.96, 1.06),
      rate: random.between(0.94, 1.06),
    },
  };
}
