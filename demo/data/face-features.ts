import { BLACK, type Colour, css, mix, WHITE } from './colour.js';
import type { FaceState } from './expressions.js';
import type { Look } from './speakers.js';

// Every function here returns SVG in the head's own coordinates: x to the right and y down in pixels of the
// frame, (0, 0) between the eyes' line and the nose, the chin near y = 90.

const EYE_Y = -12;
const EYE_X = 27;
const BROW_Y = -33;
const MOUTH_Y = 47;
const LIP: Colour = [176, 74, 72];
const MOUTH_DARK: Colour = [62, 16, 20];
const TONGUE: Colour = [196, 88, 88];

/** A number in SVG text, to two decimals: also what keeps the text equal wherever the last bits of a sine differ. */
export function n(value: number): string {
  return (Math.round(value * 100) / 100).toString();
}

export function path(d: string, attributes: string): string {
  return `<path d="${d}" ${attributes}/>`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Both eyes with lids, iris and the shade of their sockets. `blink` 0 leaves the lids alone, 1 closes them. */
export function drawEyes(look: Look, state: FaceState, skin: Colour, blink: number): string {
  return [-1, 1].map((side) => drawEye(look, state, skin, blink, side)).join('');
}

function drawEye(look: Look, state: FaceState, skin: Colour, blink: number, side: number): string {
  const x = side * EYE_X * look.eyeSpacing;
  const w = 16.5 * look.eyeSize;
  const open = clamp(state.eyeOpen, 0.1, 1.7) * (1 - blink);
  const up = 9.4 * look.eyeSize * open + 0.6;
  const low = 5.6 * look.eyeSize * (1 - 0.6 * clamp(state.lowerLid, 0, 1)) * (1 - 0.7 * blink) + 0.6;
  const upper = `C${n(x - w * 0.55)},${n(EYE_Y - up * 1.33)} ${n(x + w * 0.5)},${n(EYE_Y - up * 1.33)} ${n(x + w)},${n(EYE_Y)}`;
  const lower = `C${n(x + w * 0.5)},${n(EYE_Y + low * 1.33)} ${n(x - w * 0.5)},${n(EYE_Y + low * 1.33)} ${n(x - w)},${n(EYE_Y)}`;
  const start = `M${n(x - w)},${n(EYE_Y)}`;
  const irisY = EYE_Y - 1 + 3.5 * state.gazeDown;
  const irisR = 7 * look.eyeSize;
  const dark = css(mix(skin, BLACK, 0.72));
  const crease = EYE_Y - up * 0.75 - 6;
  const socket = `<ellipse cx="${n(x)}" cy="${n(EYE_Y - 3)}" rx="${n(w * 1.7)}" ry="19" fill="url(#socket)"/>`;
  const bag = clamp(state.lowerLid, 0, 1);
  const id = side < 0 ? 'eyeL' : 'eyeR';
  return [
    socket,
    `<clipPath id="${id}">${path(`${start}${upper}${lower}Z`, '')}</clipPath>`,
    `<g clip-path="url(#${id})">`,
    path(`${start}${upper}${lower}Z`, 'fill="#f3efe9"'),
    `<circle cx="${n(x)}" cy="${n(irisY)}" r="${n(irisR)}" fill="${css(look.iris)}"/>`,
    `<circle cx="${n(x)}" cy="${n(irisY)}" r="${n(irisR * 0.48)}" fill="#0c0a0a"/>`,
    `<circle cx="${n(x - 2.2)}" cy="${n(irisY - 2.6)}" r="1.7" fill="#fff" fill-opacity="0.9"/>`,
    '</g>',
    path(`${start}${upper}`, `fill="none" stroke="${dark}" stroke-width="2.4" stroke-linecap="round"`),
    path(`${start}${reverseLower(x, w, low)}`, `fill="none" stroke="${dark}" stroke-opacity="0.45" stroke-width="1"`),
    path(
      `M${n(x - w * 0.9)},${n(crease + 4)}Q${n(x)},${n(crease - 3)} ${n(x + w * 0.9)},${n(crease + 4)}`,
      `fill="none" stroke="${dark}" stroke-opacity="0.3" stroke-width="1.2"`,
    ),
    path(
      `M${n(x - w * 0.8)},${n(EYE_Y + low + 4)}Q${n(x)},${n(EYE_Y + low + 8)} ${n(x + w * 0.8)},${n(EYE_Y + low + 4)}`,
      `fill="none" stroke="${dark}" stroke-opacity="${n(0.12 + 0.4 * bag)}" stroke-width="1.6"`,
    ),
  ].join('');
}

function reverseLower(x: number, w: number, low: number): string {
  return `C${n(x - w * 0.5)},${n(EYE_Y + low * 1.33)} ${n(x + w * 0.5)},${n(EYE_Y + low * 1.33)} ${n(x + w)},${n(EYE_Y)}`;
}

/** Both brows, and the furrows of the forehead that go with them. */
export function drawBrows(look: Look, state: FaceState, skin: Colour): string {
  const colour = css(mix(look.hair, BLACK, 0.5));
  const brows = [-1, 1].map((side) => {
    const at = (x: number) => n(side * x * look.eyeSpacing);
    const innerX = 13 - 4.5 * clamp(state.browKnit, 0, 1.2);
    const rest = BROW_Y - 6 * look.restingBrow;
    const innerY = rest + 1 - 12 * clamp(state.browInner, -1.15, 1.15);
    const outerY = rest + 4 - 11 * clamp(state.browOuter, -1.15, 1.15);
    const midY = (innerY + outerY) / 2 - 5 - 2 * Math.max(0, Math.min(state.browInner, state.browOuter));
    const t = 3.8 * look.browThickness;
    return path(
      `M${at(innerX)},${n(innerY - t)}Q${at(31)},${n(midY - t)} ${at(46)},${n(outerY - 0.6)}` +
        `Q${at(31)},${n(midY + t)} ${at(innerX)},${n(innerY + t)}Z`,
      `fill="${colour}" stroke="${colour}" stroke-width="1.2" stroke-linejoin="round"`,
    );
  });
  const line = css(mix(skin, BLACK, 0.6));
  const raised = clamp((state.browInner + Math.max(0, state.browOuter)) / 2, 0, 1);
  const knit = clamp(state.browKnit, 0, 1);
  const furrows = [0, 9].map((dy) =>
    path(
      `M-30,${n(-56 - dy)}Q0,${n(-61 - dy)} 30,${n(-56 - dy)}`,
      `fill="none" stroke="${line}" stroke-opacity="${n(0.4 * raised)}" stroke-width="1.6"`,
    ),
  );
  const frown = [-1, 1].map((side) =>
    path(
      `M${n(side * 5)},-24Q${n(side * 3)},-33 ${n(side * 5.5)},-42`,
      `fill="none" stroke="${line}" stroke-opacity="${n(0.6 * knit)}" stroke-width="2"`,
    ),
  );
  return [...furrows, ...frown, ...brows].join('');
}

/** The nose, its wrinkles, and the folds from the nose to the corners of the mouth. */
export function drawNose(look: Look, state: FaceState, skin: Colour): string {
  const wrinkle = clamp(state.noseWrinkle, 0, 1.1);
  const w = 12.5 * look.noseWidth + 2 * wrinkle;
  const lift = -4 * wrinkle;
  const dark = css(mix(skin, BLACK, 0.55));
  const y = 25 + lift;
  const side = css(mix(skin, BLACK, 0.22));
  const light = css(mix(skin, WHITE, 0.4));
  const stroke = `fill="none" stroke="${dark}" stroke-linecap="round"`;
  const wrinkles = [-10, -4, 2].map((dy) =>
    path(
      `M-9,${n(dy + 2)}Q0,${n(dy - 3)} 9,${n(dy + 2)}`,
      `${stroke} stroke-opacity="${n(0.7 * wrinkle)}" stroke-width="1.8"`,
    ),
  );
  const fold = clamp(0.12 + 0.55 * Math.max(state.cheek, state.upperLip, state.noseWrinkle), 0.05, 0.75);
  const cornerX = 23 * look.mouthWidth * (1 + 0.3 * state.mouthStretch) + 8;
  const folds = [-1, 1].map((s) =>
    path(
      `M${n(s * (w + 2))},${n(y - 5)}Q${n(s * (cornerX + 3))},${n(y + 5)} ${n(s * (cornerX + 1))},${n(MOUTH_Y - 4 * state.mouthCurve)}`,
      `${stroke} stroke-opacity="${n(fold)}" stroke-width="2"`,
    ),
  );
  return [
    path(
      `M-5,-20Q-9,5 ${n(-w)},${n(y)}Q0,${n(y + 7)} ${n(w)},${n(y)}Q11,4 6,-20Z`,
      `fill="${side}" fill-opacity="0.28"`,
    ),
    path(`M6,-16Q8,6 ${n(w)},${n(y)}Q6,${n(y + 5)} 3,${n(y)}Q4,2 6,-16Z`, `fill="${dark}" fill-opacity="0.22"`),
    path(
      `M-2,-14Q-4,5 -3,${n(y - 6)}`,
      `fill="none" stroke="${light}" stroke-opacity="0.55" stroke-width="4" stroke-linecap="round"`,
    ),
    `<ellipse cx="-1.5" cy="${n(y - 4)}" rx="5" ry="4.5" fill="${light}" fill-opacity="0.4"/>`,
    `<ellipse cx="${n(-w * 0.48)}" cy="${n(y + 1.5)}" rx="3.4" ry="1.9" fill="${dark}" fill-opacity="0.85"/>`,
    `<ellipse cx="${n(w * 0.48)}" cy="${n(y + 1.5)}" rx="3.4" ry="1.9" fill="${dark}" fill-opacity="0.85"/>`,
    path(
      `M${n(-w)},${n(y - 5)}Q${n(-w - 2.5)},${n(y)} ${n(-w + 3)},${n(y + 3)}`,
      `${stroke} stroke-opacity="0.5" stroke-width="1.4"`,
    ),
    path(
      `M${n(w)},${n(y - 5)}Q${n(w + 2.5)},${n(y)} ${n(w - 3)},${n(y + 3)}`,
      `${stroke} stroke-opacity="0.6" stroke-width="1.4"`,
    ),
    ...wrinkles,
    ...folds,
  ].join('');
}

/** The mouth: the dark inside with teeth and tongue, then the lips around it. */
export function drawMouth(look: Look, state: FaceState, skin: Colour): string {
  const jaw = clamp(state.jaw, 0, 1.15);
  const curve = clamp(state.mouthCurve + look.restingMouth, -1.2, 1.2);
  const upperLip = clamp(state.upperLip, 0, 1.1);
  const w = 23 * look.mouthWidth * (1 + 0.36 * clamp(state.mouthStretch, -1, 1));
  const tilt = 5 * state.lopsided;
  const left = MOUTH_Y - 11 * curve - tilt * 0.3;
  const right = MOUTH_Y - 11 * curve + tilt;
  const midUpper = MOUTH_Y + 2.5 * curve - 5 * jaw - 8 * upperLip;
  const midLower = Math.max(midUpper + 0.4, MOUTH_Y + 4.5 * curve + 32 * jaw - 2 * upperLip);
  // A cubic through (0, m) with both ends at the corners has its control points at (4 m - corner) / 3.
  const control = (mid: number, corner: number) => n((4 * mid - corner) / 3);
  const cx = w * 0.62;
  const inner = {
    up: [control(midUpper, left), control(midUpper, right)],
    down: [control(midLower, left), control(midLower, right)],
  };
  const inside =
    `M${n(-w)},${n(left)}C${n(-cx)},${inner.up[0]} ${n(cx)},${inner.up[1]} ${n(w)},${n(right)}` +
    `C${n(cx)},${inner.down[1]} ${n(-cx)},${inner.down[0]} ${n(-w)},${n(left)}Z`;
  const thick = look.lipThickness * (1 - 0.7 * clamp(state.lipPress, 0, 1));
  const top = midUpper - 6 * thick;
  const bottom = midLower + 8 * thick;
  const outer =
    `M${n(-w - 2)},${n(left)}C${n(-cx)},${control(top, left)} ${n(-4)},${n(top - 0.5)} 0,${n(top + 1.5)}` +
    `C4,${n(top - 0.5)} ${n(cx)},${control(top, right)} ${n(w + 2)},${n(right)}` +
    `C${n(cx)},${control(bottom, right)} ${n(-cx)},${control(bottom, left)} ${n(-w - 2)},${n(left)}Z`;
  const lip = mix(LIP, skin, 0.35);
  const teeth = clamp((midLower - midUpper) / 10, 0, 1);
  const dark = css(mix(skin, BLACK, 0.6));
  return [
    path(outer, `fill="${css(lip)}"`),
    path(
      `M${n(-w * 0.5)},${n(bottom - 3)}Q0,${n(bottom + 1)} ${n(w * 0.5)},${n(bottom - 3)}`,
      `fill="none" stroke="${css(mix(lip, WHITE, 0.5))}" stroke-opacity="0.4" stroke-width="2.5" stroke-linecap="round"`,
    ),
    `<clipPath id="mouth">${path(inside, '')}</clipPath>`,
    `<g clip-path="url(#mouth)">`,
    path(inside, `fill="${css(MOUTH_DARK)}"`),
    `<ellipse cx="0" cy="${n(midLower + 1)}" rx="${n(w * 0.6)}" ry="${n(5 + 4 * jaw)}" fill="${css(TONGUE)}" fill-opacity="0.8"/>`,
    path(
      `M${n(-w)},${n(left - 4)}L${n(w)},${n(right - 4)}L${n(w * 0.86)},${n(right)}` +
        `Q0,${n(2 * midUpper - (left + right) / 2 + 11)} ${n(-w * 0.86)},${n(left)}Z`,
      `fill="#f6f2ea" fill-opacity="${n(teeth)}"`,
    ),
    '</g>',
    path(inside, `fill="none" stroke="${css(MOUTH_DARK)}" stroke-width="1.5" stroke-linejoin="round"`),
    path(
      `M${n(-w - 4)},${n(left - 2)}L${n(-w - 1)},${n(left + 1)}`,
      `stroke="${dark}" stroke-opacity="0.5" stroke-width="2"`,
    ),
    path(
      `M${n(w + 4)},${n(right - 2)}L${n(w + 1)},${n(right + 1)}`,
      `stroke="${dark}" stroke-opacity="0.5" stroke-width="2"`,
    ),
    path(
      `M-9,${n(bottom + 7)}Q0,${n(bottom + 10)} 9,${n(bottom + 7)}`,
      `fill="none" stroke="${dark}" stroke-opacity="0.25" stroke-width="3" stroke-linecap="round"`,
    ),
  ].join('');
}
