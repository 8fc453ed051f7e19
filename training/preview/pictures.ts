import { CROP_SIZE, MEL_BANDS } from '../../preprocessing/features.js';
import { SPEECH_FRAMES, shrinkFrames } from '../../preprocessing/model-inputs.js';

/** RGB bytes, row-major (height, width, 3). */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

type Colour = readonly [number, number, number];

/** What no network counts: the padding of a batch. */
const PADDING: Colour = [200, 200, 200];
const WHITE: Colour = [255, 255, 255];

/** Dark to bright, told apart without colours too (the stops are those of matplotlib's viridis). */
const LOUDNESS: readonly Colour[] = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];
/** Negative blue, positive red. */
const SIGNED: readonly Colour[] = [[33, 102, 172], WHITE, [178, 24, 43]];

const FRAMES_IN_ROW = 16;
const FRAME_SIDE = CROP_SIZE / 2;
const FRAME_GAP = 2;
const WORD_WIDTH = 2;
const WORD_HEIGHT = 6;

/**
 * Low bands at the bottom, time to the right.
 *
 * @param data row-major (128, 400), values in [0, 1]
 * @param length frames that count
 */
export function spectrogramPicture(data: Float32Array, length: number): Picture {
  const picture = blank(SPEECH_FRAMES, MEL_BANDS, PADDING);
  for (let band = 0; band < MEL_BANDS; band++) {
    for (let frame = 0; frame < length; frame++) {
      const colour = gradient(LOUDNESS, data[band * SPEECH_FRAMES + frame]!);
      picture.data.set(colour, ((MEL_BANDS - 1 - band) * SPEECH_FRAMES + frame) * 3);
    }
  }
  return picture;
}

/**
 * Frames in their order, sixteen a row, at half their size.
 *
 * @param data row-major (frames, 224, 224, 3) RGB
 * @param length frames that count
 */
export function framesPicture(data: Uint8Array, length: number): Picture {
  const side = FRAME_SIDE;
  const shown = shrinkFrames(data.subarray(0, length * CROP_SIZE * CROP_SIZE * 3), length, side);
  const step = side + FRAME_GAP;
  const rows = Math.ceil(length / FRAMES_IN_ROW);
  const picture = blank(FRAMES_IN_ROW * step - FRAME_GAP, rows * step - FRAME_GAP, WHITE);
  for (let frame = 0; frame < length; frame++) {
    const left = (frame % FRAMES_IN_ROW) * step;
    const top = Math.floor(frame / FRAMES_IN_ROW) * step;
    for (let y = 0; y < side; y++) {
      const row = (frame * side + y) * side * 3;
      picture.data.set(shown.subarray(row, row + side * 3), ((top + y) * picture.width + left) * 3);
    }
  }
  return picture;
}

/**
 * One row a word, one column a number of its vector.
 *
 * @param data row-major (words, dim)
 * @param length words that count
 * @param largest the absolute value that has the strongest colour
 */
export function wordsPicture(data: Float32Array, words: number, length: number, largest: number): Picture {
  const dim = data.length / words;
  const picture = blank(dim * WORD_WIDTH, words * WORD_HEIGHT, PADDING);
  for (let y = 0; y < length * WORD_HEIGHT; y++) {
    const word = Math.floor(y / WORD_HEIGHT);
    for (let x = 0; x < picture.width; x++) {
      const value = data[word * dim + Math.floor(x / WORD_WIDTH)]!;
      picture.data.set(gradient(SIGNED, (value / largest + 1) / 2), (y * picture.width + x) * 3);
    }
  }
  return picture;
}

function blank(width: number, height: number, colour: Colour): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set(colour, i);
  return { width, height, data };
}

/** The colour at `value` in [0, 1] between evenly spaced stops. */
function gradient(stops: readonly Colour[], value: number): number[] {
  const place = Math.min(1, Math.max(0, value)) * (stops.length - 1);
  const before = Math.min(Math.floor(place), stops.length - 2);
  const share = place - before;
  return stops[before]!.map((channel, i) => Math.round((1 - share) * channel + share * stops[before + 1]![i]!));
}
