import type { Picture } from '../media/picture.js';
import type { FrameStream } from '../media/stream-frames.js';
import type { Box } from './boxes.js';
import { CROP_BYTES } from './crop.js';
import type { FaceDetector } from './face-detector.js';
import { type FaceResult, UNDECODABLE_PICTURES } from './face-features.js';
import { sliceBox, stretchFace } from './seed-crop.js';

/** Faces are looked for in every so many mel frames; those between take over the boxes. */
const DETECT_EVERY = 4;
/** Every second frame of an ordinary clip is looked at: two in work by each process, and one that waits. */
const FRAMES_AHEAD_PER_PROCESS = 6;
/** Crops of one clip, at most: a minute of one face, 0.6 GB. */
const MAX_CROPS = 3750;

/**
 * Every face of every mel frame of a clip, as the reference crops them: at the times start + (end - start) * i / count
 * the frame that is shown then, faces looked for in every fourth one, all of them appended, the largest first; a black
 * picture for a frame in which none was found. Boxes are not held within the picture, so that a face at the left or
 * upper border is lost. What repeats is computed once.
 *
 * @param stream its frames; the pixels of `framesAhead` of them must be lent besides those of the last one
 * @param span seconds of the clip that count
 * @param count mel frames of it
 * @returns the crops in order, with a time each; `ended` is the second at which the pictures ended too early, else null
 * @throws Error when the clip is too long, or too full of faces
 */
export async function seedFaceFeatures(
  { rate, frames }: Pick<FrameStream, 'rate' | 'frames'>,
  span: { start: number; end: number },
  count: number,
  detector: FaceDetector,
): Promise<FaceResult & { ended: number | null }> {
  if (count > MAX_CROPS) throw tooManyCrops();
  const timeOf = (moment: number) => span.start + ((span.end - span.start) * moment) / count;
  // The frame number as moviepy computes it: its tiny addition keeps n / rate at frame n.
  const frameOf = (moment: number) => Math.trunc(rate * timeOf(moment) + 0.00001);
  const crops = new CropList(count);
  const ahead = framesAhead(detector);
  /** Frames whose crops are still to be made, in order: their faces are being looked for. */
  const waiting: (() => Promise<void>)[] = [];
  let moment = 0;
  let seen = 0;
  let looked = -1;
  let boxes: Promise<Box[]> = Promise.resolve([]);
  let withFace = 0;
  let cropping = 0;
  const crop = async (frame: Picture, number: number, boxes: Promise<Box[]>, moment: number) => {
    const found = await boxes;
    if (found.length > 0) withFace += 1;
    const start = performance.now();
    crops.add(frame, number, found, timeOf(moment));
    cropping += performance.now() - start;
  };
  const take = (frame: Picture, number: number) => {
    if (moment % DETECT_EVERY === 0 && number !== looked) {
      boxes = detector.detect(frame).then((faces) => faces.map(({ box }) => box));
      // Whoever waits for the boxes hears of a failure; until then it has not gone unheard.
      boxes.catch(() => {});
      looked = number;
    }
    const [own, at] = [boxes, moment];
    moment += 1;
    return () => crop(frame, number, own, at);
  };
  let last: Picture | null = null;
  for await (const frame of frames) {
    const number = seen;
    const steps: (() => Promise<void>)[] = [];
    while (moment < count && frameOf(moment) <= number) steps.push(take(frame, number));
    waiting.push(async () => {
      for (const step of steps) await step();
    });
    if (waiting.length > ahead) await waiting.shift()?.();
    last = frame;
    seen += 1;
    if (moment === count) break;
  }
  for (const finish of waiting) await finish();
  const ended = moment < count ? seen / rate : null;
  if (last === null) return { ...UNDECODABLE_PICTURES, ended };
  // Past the last frame moviepy goes on with it.
  while (moment < count) await take(last, seen - 1)();
  return { ...crops.result(), share: withFace / count, cropping, ended };
}

/** Frames that are read ahead of the one whose crops are made: enough that every process of the detector has work. */
export function framesAhead({ processes = 1 }: FaceDetector): number {
  return (processes - 1) * FRAMES_AHEAD_PER_PROCESS;
}

function tooManyCrops(): Error {
  return new Error(`compat seed makes more than ${MAX_CROPS} crops of it; cut it into shorter clips`);
}

/** The crops so far. The frames of a clip repeat among the mel frames: such crops are copied, not made again. */
class CropList {
  #data: Uint8Array;
  readonly #times: number[] = [];
  #previous: { frame: number; boxes: readonly Box[]; crops: number } = { frame: -1, boxes: [], crops: 0 };

  /** @param expected crops of one face: there is room for three at once, and memory is only taken by those that come */
  constructor(expected: number) {
    this.#data = new Uint8Array(Math.max(1, Math.min(3 * expected, MAX_CROPS)) * CROP_BYTES);
  }

  add(frame: Picture, number: number, boxes: readonly Box[], time: number): void {
    const before = this.#times.length;
    if (number === this.#previous.frame && boxes === this.#previous.boxes) {
      const { crops } = this.#previous;
      for (let i = 0; i < crops; i++) {
        const offset = this.#grow(time);
        this.#data.copyWithin(offset, offset - crops * CROP_BYTES, offset - (crops - 1) * CROP_BYTES);
      }
    } else if (boxes.length === 0) {
      this.#grow(time);
    } else {
      for (const box of boxes) {
        const pixels = sliceBox(box, frame);
        if (pixels === null) continue;
        const offset = this.#grow(time);
        stretchFace(frame, pixels, this.#data, offset);
      }
    }
    this.#previous = { frame: number, boxes, crops: this.#times.length - before };
  }

  /** Room for one more crop, black; returns where it begins. */
  #grow(time: number): number {
    const offset = this.#times.length * CROP_BYTES;
    if (this.#times.length === MAX_CROPS) throw tooManyCrops();
    this.#times.push(time);
    if (this.#data.length < offset + CROP_BYTES) {
      const larger = new Uint8Array(2 * this.#data.length);
      larger.set(this.#data);
      this.#data = larger;
    }
    return offset;
  }

  result(): Pick<FaceResult, 'features'> {
    const frames = this.#times.length;
    if (frames === 0) {
      return {
        features: { status: 'missing', reason: 'every face that was found reaches over the left or upper border' },
      };
    }
    const data = this.#data.subarray(0, frames * CROP_BYTES);
    return { features: { status: 'used', data, frames, times: this.#times } };
  }
}
