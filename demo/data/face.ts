import { BLACK, type Colour, css, mix, WHITE } from './colour.js';
import type { FaceState } from './expressions.js';
import { drawBrows, drawEyes, drawMouth, drawNose, n, path } from './face-features.js';
import type { Look } from './speakers.js';

export const FRAME_WIDTH = 240;
export const FRAME_HEIGHT = 320;

/** Where the head is: offsets in pixels, roll in degrees, yaw as a share of the feature shift, blink 0..1. */
export interface Pose {
  x: number;
  y: number;
  roll: number;
  yaw: number;
  blink: number;
}

const FLUSHED: Colour = [206, 58, 48];
const PALE: Colour = [238, 226, 204];

/**
 * One frame as SVG: background, shoulders and a shaded face, lit from the upper left.
 * Only gradients shade it: SVG filters would cost more than all the rest of the raster work.
 */
export function drawFrame(look: Look, state: FaceState, pose: Pose): string {
  const skin = state.flush > 0 ? mix(look.skin, FLUSHED, 0.34 * state.flush) : mix(look.skin, PALE, -0.3 * state.flush);
  const shiftX = 5 * pose.yaw;
  const shiftY = 6 * state.headDown;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${FRAME_WIDTH}" height="${FRAME_HEIGHT}">`,
    drawGradients(look, skin),
    `<rect width="${FRAME_WIDTH}" height="${FRAME_HEIGHT}" fill="url(#background)"/>`,
    drawShoulders(skin, pose),
    `<g transform="translate(${n(FRAME_WIDTH / 2 + pose.x)},${n(166 + pose.y + 4 * state.headDown)}) rotate(${n(pose.roll)}) scale(0.93,0.87)">`,
    drawBackHair(look),
    drawHead(look, state, skin),
    `<g transform="translate(${n(shiftX)},${n(shiftY)})">`,
    drawCheeks(state, skin),
    drawNose(look, state, skin),
    drawMouth(look, state, skin),
    drawEyes(look, state, skin, pose.blink),
    drawBrows(look, state, skin),
    '</g>',
    drawFrontHair(look),
    '</g></svg>',
  ].join('');
}

function stop(offset: number, colour: Colour, opacity = 1): string {
  return `<stop offset="${offset}" stop-color="${css(colour)}" stop-opacity="${opacity}"/>`;
}

function drawGradients(look: Look, skin: Colour): string {
  return [
    '<defs>',
    '<radialGradient id="background" cx="0.4" cy="0.3" r="0.9">',
    stop(0, mix(look.background, WHITE, 0.25)),
    stop(1, mix(look.background, BLACK, 0.3)),
    '</radialGradient><radialGradient id="skin" cx="0.4" cy="0.36" r="0.68">',
    stop(0, mix(skin, WHITE, 0.16)),
    stop(0.55, skin),
    stop(1, mix(skin, BLACK, 0.36)),
    '</radialGradient><linearGradient id="neck" x1="0" y1="0" x2="0" y2="1">',
    stop(0, mix(skin, BLACK, 0.5)),
    stop(0.6, mix(skin, BLACK, 0.18)),
    '</linearGradient><radialGradient id="socket">',
    stop(0, mix(skin, BLACK, 0.55), 0.8),
    stop(1, mix(skin, BLACK, 0.5), 0),
    '</radialGradient><radialGradient id="rose">',
    stop(0, mix(skin, FLUSHED, 0.6), 0.75),
    stop(1, mix(skin, FLUSHED, 0.6), 0),
    '</radialGradient><radialGradient id="shine">',
    stop(0, mix(skin, WHITE, 0.7), 0.5),
    stop(1, mix(skin, WHITE, 0.7), 0),
    '</radialGradient><linearGradient id="hair" x1="0" y1="0" x2="1" y2="1">',
    stop(0, mix(look.hair, WHITE, 0.22)),
    stop(0.5, look.hair),
    stop(1, mix(look.hair, BLACK, 0.4)),
    '</linearGradient><linearGradient id="clothes" x1="0" y1="0" x2="1" y2="1">',
    stop(0, mix(look.clothes, WHITE, 0.15)),
    stop(1, mix(look.clothes, BLACK, 0.35)),
    '</linearGradient></defs>',
  ].join('');
}

function drawShoulders(skin: Colour, pose: Pose): string {
  const x = FRAME_WIDTH / 2 + pose.x * 0.4;
  const bottom = FRAME_HEIGHT;
  return [
    path(`M${n(x - 30)},215L${n(x - 32)},300L${n(x + 32)},300L${n(x + 30)},215Z`, 'fill="url(#neck)"'),
    path(
      `M${n(x - 118)},${bottom}Q${n(x - 112)},284 ${n(x - 62)},276L${n(x - 34)},264Q${n(x)},300 ${n(x + 34)},264` +
        `L${n(x + 62)},276Q${n(x + 112)},284 ${n(x + 118)},${bottom}Z`,
      `fill="url(#clothes)" stroke="${css(mix(skin, BLACK, 0.7))}" stroke-opacity="0.25"`,
    ),
  ].join('');
}

function drawHead(look: Look, state: FaceState, skin: Colour): string {
  const w = 62 * look.faceWidth;
  const jaw = 46 * look.jawWidth;
  const chin = 88 * look.chinLength + 9 * Math.max(0, Math.min(1.1, state.jaw));
  const ear = css(mix(skin, BLACK, 0.14));
  const ears = [-1, 1].map((side) => `<ellipse cx="${n(side * (w + 2))}" cy="2" rx="9" ry="17" fill="${ear}"/>`);
  const outline =
    `M${n(-w)},-16C${n(-w - 1)},-68 -38,-96 0,-96C38,-96 ${n(w + 1)},-68 ${n(w)},-16` +
    `C${n(w)},16 ${n(jaw + 9)},42 ${n(jaw)},${n(chin - 26)}C${n(jaw - 12)},${n(chin - 7)} 18,${n(chin)} 0,${n(chin)}` +
    `C-18,${n(chin)} ${n(12 - jaw)},${n(chin - 7)} ${n(-jaw)},${n(chin - 26)}C${n(-jaw - 9)},42 ${n(-w)},16 ${n(-w)},-16Z`;
  return [
    ...ears,
    path(outline, `fill="url(#skin)" stroke="${css(mix(skin, BLACK, 0.5))}" stroke-opacity="0.35"`),
    '<ellipse cx="-12" cy="-58" rx="30" ry="16" fill="url(#shine)"/>',
  ].join('');
}

function drawCheeks(state: FaceState, skin: Colour): string {
  const raised = Math.max(0, Math.min(1, state.cheek));
  const y = 24 - 6 * raised;
  const opacity = n(0.35 + 0.65 * raised);
  const dark = css(mix(skin, BLACK, 0.5));
  return [-1, 1]
    .map(
      (side) =>
        `<ellipse cx="${side * 35}" cy="${n(y)}" rx="20" ry="15" fill="url(#rose)" fill-opacity="${opacity}"/>` +
        path(
          `M${side * 50},${n(y - 16)}Q${side * 38},${n(y - 8)} ${side * 20},${n(y - 15)}`,
          `fill="none" stroke="${dark}" stroke-opacity="${n(0.45 * raised)}" stroke-width="2"`,
        ),
    )
    .join('');
}

function drawBackHair(look: Look): string {
  const w = 62 * look.faceWidth;
  if (look.hairStyle === 'long')
    return path(
      `M${n(-w - 6)},-20C${n(-w - 10)},-118 ${n(w + 10)},-118 ${n(w + 6)},-20L${n(w + 16)},96Q${n(w - 14)},112 ${n(w - 18)},60` +
        `L${n(-w + 18)},60Q${n(-w + 14)},112 ${n(-w - 16)},96Z`,
      'fill="url(#hair)"',
    );
  if (look.hairStyle === 'bun') return '<ellipse cx="0" cy="-108" rx="26" ry="22" fill="url(#hair)"/>';
  return '';
}

function drawFrontHair(look: Look): string {
  const w = 62 * look.faceWidth + 4;
  const crown = `M${n(-w)},-2C${n(-w - 8)},-86 -46,-112 0,-112C46,-112 ${n(w + 8)},-86 ${n(w)},-2`;
  const hairlines: Record<Look['hairStyle'], string> = {
    short: `L${n(w - 6)},-34C${n(w - 12)},-66 34,-76 0,-74C-34,-76 ${n(12 - w)},-66 ${n(6 - w)},-34Z`,
    parted: `L${n(w - 6)},-30C${n(w - 8)},-52 ${n(w - 26)},-60 12,-70Q-12,-76 -24,-88C-34,-82 ${n(14 - w)},-70 ${n(6 - w)},-30Z`,
    long: `L${n(w - 3)},10C${n(w - 8)},-44 26,-74 0,-84C-26,-74 ${n(8 - w)},-44 ${n(3 - w)},10Z`,
    bun: `L${n(w - 6)},-26C${n(w - 14)},-62 30,-82 0,-82C-30,-82 ${n(14 - w)},-62 ${n(6 - w)},-26Z`,
  };
  return path(crown + hairlines[look.hairStyle], 'fill="url(#hair)"');
}
