import type { Emotion } from '../../common/labels.js';
import type { Random } from '../../common/random.js';

/**
 * The state of a face, in parameters named after the action units (AU) of the Facial Action Coding System
 * (Ekman, Friesen & Hager 2002). 0 is rest; signed ones run from -1 to 1, the others from 0 to 1, unless said.
 */
export interface FaceState {
  /** Inner ends of the brows: up (AU1) is positive, down (AU4) negative. */
  browInner: number;
  /** Outer ends of the brows: up (AU2) is positive. */
  browOuter: number;
  /** Brows drawn together (AU4). */
  browKnit: number;
  /** Opening of the upper lid (AU5, AU43): 0 closed, 1 rest, 1.6 wide open. */
  eyeOpen: number;
  /** Lower lid raised (AU6, AU7). */
  lowerLid: number;
  /** Raised cheeks (AU6). */
  cheek: number;
  /** Wrinkled nose (AU9). */
  noseWrinkle: number;
  /** Upper lip raised (AU10). */
  upperLip: number;
  /** Corners of the mouth: up (AU12) is positive, down (AU15) negative. */
  mouthCurve: number;
  /** Mouth stretched (AU20) is positive, drawn in (AU18) negative. */
  mouthStretch: number;
  /** Lips pressed together (AU24). */
  lipPress: number;
  /** Jaw dropped (AU26, AU27). */
  jaw: number;
  /** One-sidedness of the mouth (AU14 and a one-sided AU10). */
  lopsided: number;
  /** Colour of the skin: flushed is positive, pale negative. */
  flush: number;
  /** Direction of the gaze and pitch of the head, down is positive. */
  gazeDown: number;
  headDown: number;
}

export const REST: FaceState = {
  browInner: 0,
  browOuter: 0,
  browKnit: 0,
  eyeOpen: 1,
  lowerLid: 0,
  cheek: 0,
  noseWrinkle: 0,
  upperLip: 0,
  mouthCurve: 0,
  mouthStretch: 0,
  lipPress: 0,
  jaw: 0,
  lopsided: 0,
  flush: 0,
  gazeDown: 0,
  headDown: 0,
};

/** Prototypes after EMFACS (Friesen & Ekman 1983): which action units make which basic emotion. */
const PROTOTYPES: Record<Emotion, Partial<FaceState>> = {
  hap: {
    mouthCurve: 1,
    mouthStretch: 0.55,
    jaw: 0.36,
    cheek: 1,
    lowerLid: 0.5,
    eyeOpen: 0.85,
    browOuter: 0.2,
    flush: 0.25,
  },
  ang: {
    browInner: -1,
    browOuter: 0.35,
    browKnit: 1,
    eyeOpen: 0.95,
    lowerLid: 0.45,
    lipPress: 0.9,
    mouthCurve: -0.3,
    mouthStretch: -0.2,
    flush: 0.8,
    headDown: 0.5,
  },
  dis: {
    noseWrinkle: 1,
    upperLip: 1,
    browInner: -0.5,
    browOuter: -0.35,
    browKnit: 0.4,
    eyeOpen: 0.55,
    lowerLid: 0.7,
    cheek: 0.5,
    mouthCurve: -0.45,
    lopsided: 0.7,
    jaw: 0.12,
    headDown: -0.5,
  },
  fea: {
    browInner: 0.95,
    browOuter: 0.25,
    browKnit: 0.9,
    eyeOpen: 1.5,
    mouthStretch: 1,
    mouthCurve: -0.35,
    jaw: 0.42,
    flush: -1,
  },
  sad: {
    browInner: 0.9,
    browOuter: -0.6,
    browKnit: 0.5,
    eyeOpen: 0.5,
    mouthCurve: -1.1,
    mouthStretch: -0.1,
    gazeDown: 0.8,
    headDown: 0.8,
    flush: -0.15,
  },
  neu: {},
  sur: { browInner: 1, browOuter: 1, eyeOpen: 1.6, jaw: 1, mouthStretch: -0.6, headDown: -0.25 },
};

/** How far one showing of an emotion strays from its prototype, as a share of a parameter's range. */
const PARAMETER_NOISE = 0.07;
const INTENSITY = { low: 0.85, high: 1.15 } as const;

/** One showing of an emotion: its prototype at a random intensity, each parameter a little off. */
export function drawExpression(emotion: Emotion, random: Random): FaceState {
  const intensity = random.between(INTENSITY.low, INTENSITY.high);
  const prototype: FaceState = { ...REST, ...PROTOTYPES[emotion] };
  return combine(REST, prototype, (rest, full) => rest + (full - rest) * intensity + PARAMETER_NOISE * random.normal());
}

/** The face between two states: `share` 0 gives `a`, 1 gives `b`. */
export function blend(a: FaceState, b: FaceState, share: number): FaceState {
  return combine(a, b, (from, to) => from + (to - from) * share);
}

function combine(a: FaceState, b: FaceState, value: (a: number, b: number) => number): FaceState {
  return {
    browInner: value(a.browInner, b.browInner),
    browOuter: value(a.browOuter, b.browOuter),
    browKnit: value(a.browKnit, b.browKnit),
    eyeOpen: value(a.eyeOpen, b.eyeOpen),
    lowerLid: value(a.lowerLid, b.lowerLid),
    cheek: value(a.cheek, b.cheek),
    noseWrinkle: value(a.noseWrinkle, b.noseWrinkle),
    upperLip: value(a.upperLip, b.upperLip),
    mouthCurve: value(a.mouthCurve, b.mouthCurve),
    mouthStretch: value(a.mouthStretch, b.mouthStretch),
    lipPress: value(a.lipPress, b.lipPress),
    jaw: value(a.jaw, b.jaw),
    lopsided: value(a.lopsided, b.lopsided),
    flush: value(a.flush, b.flush),
    gazeDown: value(a.gazeDown, b.gazeDown),
    headDown: value(a.headDown, b.headDown),
  };
}
