import type { RgbFrame } from '../media/rgb-frame.js';
import type { FrameStream } from '../media/stream-frames.js';
import type { Box } from './boxes.js';
import { CROP_BYTES } from './crop.js';
import type { FaceDetector } from './face-detector.js';
import { type FaceResult, UNDECODABLE_PICTURES } from './face-features.js';
import { sliceBox, stretchFace } from './seed-crop.js';

/** Faces are looked for in every so many mel frames; those between take over the boxes. */
const DETECT_EVERY = 4;
/** Crops of one clip, at most: a minute of one face, 0.6 GB. */
const MAX_CROPS = 3750;

/**
 * Every face of every mel frame of a clip, as the reference crops them: at the times start + (end - start) * i / count
 * the frame that is shown then, faces looked for in every fourth one, all of them appended, the largest first; a black
 * picture for a frame in which none was found. Boxes are not held within the picture, so that a face at the left or
 * upper border is lost. One frame is decoded at a time, and what repeats is computed once.
 *
 * @param span seconds of the clip that count
 * @param count mel frames of it
 * @returns the crops in order, with a time each; `ended` is the second at which the pictures ended too early, else null
 * @throws Error when the clip is too long, or too full of faces
 */
export async function seedFaceFeatures(
  { rate, frames }: FrameStream,
  span: { start: number; end: number },
  count: number,
  detector: FaceDetector,
): Promise<FaceResult & { ended: number | null }> {
  if (count > MAX_CROPS) throw tooManyCrops();
  const timeOf = (moment: number) => span.start + ((span.end - span.start) * moment) / count;
  // The frame number as moviepy computes it: its tiny addition keeps n / rate at frame n.
  const frameOf = (moment: number) => Math.trunc(rate * timeOf(moment) + 0.00001);
  const crops = new CropList(count);
  let moment = 0;
  let seen = 0;
  let looked = -1;
  let boxes: Box[] = [];
  let withFace = 0;
  let cropping = 0;
  const take = async (frame: RgbFrame, number: number) => {
    if (moment % DETECT_EVERY === 0 && number !== looked) {
      boxes = (await detector.detect(frame)).map(({ box }) => box);
      looked = number;
      crops.forget();
    }
    if (boxes.length > 0) withFace += 1;
    const start = performance.now();
    crops.add(frame, number, boxes, timeOf(moment));
    cropping += performance.now() - start;
    moment += 1;
  };
  let last: RgbFrame | null = null;
  for await (const frame of frames) {
    while (moment < count && frameOf(moment) <= seen) await take(frame, seen);
    last = frame;
    seen += 1;
    if (moment === count) break;
  }
  const ended = moment < count ? seen / rate : null;
  if (last === null) return { ...UNDECODABLE_PICTURES, ended };
  // Past the last frame moviepy goes on with it.
  while (moment < count) await take(last, seen - 1);
  return { ...crops.result(), share: withFace / count, cropping, ended };
}

function tooManyCrops(): Error {
  return new Error(`compat seed makes more than ${MAX_CROPS} crops of it; cut it into shorter clips`);
}

/** The crops so far. The frames of a clip repeat among the mel frames: such crops are copied, not made again. */
class CropList {
  #data: Uint8Array;
  readonly #times: number[] = [];
  #previous = { frame: -1, crops: 0 };

  /** @param expected crops: memory is only taken by those that come */
  constructor(expected: number) {
    this.#data = new Uint8Array(Math.max(1, Math.min(expected, MAX_CROPS)) * CROP_BYTES);
  }

  /** Boxes have changed: the crops of the last frame cannot be taken again. */
  forget(): void {
    this.#previous = { frame: -1, crops: 0 };
  }

  add(frame: RgbFrame, number: number, boxes: readonly Box[], time: number): void {
    const before = this.#times.length;
    if (number === this.#previous.frame) {
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
    this.#previous = { frame: number, crops: this.#times.length - before };
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
