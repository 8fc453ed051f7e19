import type { Subject } from '../../common/bundle.js';
import { mapConcurrent } from '../../common/concurrent.js';
import type { VideoFrame } from '../media/decode.js';
import { type Box, boxArea, intersectionOverUnion } from './boxes.js';
import { FACE_THRESHOLD, type Face, type FaceDetector, MIN_FACE } from './face-detector.js';
import { PYRAMID_FACTOR } from './proposals.js';
import {
  chooseTracks,
  findTracks,
  type Look,
  placeDistance,
  predictBox,
  type Sighting,
  smallestSize,
  type Track,
} from './subject-track.js';

/** Seconds between the frames in which faces are looked for everywhere. */
const LOOK_INTERVAL = 0.5;
/** A face that is not seen for at most this many seconds is taken to have been there, where its neighbours were. */
const MAX_GAP = 0.5;
/** The last net is asked again from its own answer until that overlaps with what it was asked by this much … */
const SETTLED = 0.8;
/** … and so often at most. */
const MAX_ASKS = 3;
/** Two boxes that overlap more than this are the same face. */
const SAME_FACE = 0.5;
/** Faces smaller than this share of the picture's shorter side are no subject. */
const MIN_FACE_SHARE = 0.05;
/** Whoever wants the largest face looks for faces of this share first, which costs a tenth. */
const LARGE_FACE_SHARE = 0.16;

export interface FollowedFaces {
  /** Those of the frames that show a face that counts, in order, with the boxes of these faces, the largest first. */
  kept: { frame: VideoFrame; boxes: Box[] }[];
  /** Share of all frames in which such a face was detected, not only filled in from its neighbours. */
  share: number;
  /** Frames in which faces were looked for everywhere at first. */
  looks: number;
}

/**
 * Where the faces that a clip is about are in some frames of it. Faces are looked for in a frame about every half
 * second; in the frames between, the last net says whether a face is where its track predicts it, and where exactly;
 * it is looked for everywhere when it is not. Short gaps are filled from the neighbours.
 *
 * @param frames in order of time
 */
export async function followFaces(
  frames: readonly VideoFrame[],
  subject: Subject,
  detector: FaceDetector,
): Promise<FollowedFaces> {
  const looks: (Look & { frame: VideoFrame })[] = await mapConcurrent(
    chooseLooks(frames),
    detector.processes ?? 1,
    async (frame) => ({ frame, time: frame.time, faces: await lookFor(frame, subject, detector, wantedSize(frame)) }),
  );
  const first = looks[0];
  if (!first) return { kept: [], share: 0, looks: 0 };
  const tracks = chooseTracks(findTracks(looks), subject, first.frame);
  const looked = new Set(looks.map(({ frame }) => frame));
  const between = frames.filter((frame) => !looked.has(frame));
  if (tracks.length > 0) {
    const searches = new Searches(between, tracks, subject, detector);
    // Where no face is expected it is looked for everywhere in any case, in frames of which none has to wait for another.
    await searches.complete(between.filter(({ time }) => !tracks.some((track) => isExpected(track, time, looks))));
    void searches.ahead(inTransitions(between, tracks, looks));
    try {
      await fillBetween(between, tracks, detector, (frame) => searches.of(frame));
    } finally {
      searches.stop();
    }
  }
  const kept = frames.flatMap((frame) => {
    const boxes = tracks.filter((track) => isCovered(track, frame.time)).map((track) => predictBox(track, frame.time));
    return boxes.length > 0 ? [{ frame, boxes: boxes.sort((a, b) => boxArea(b) - boxArea(a)) }] : [];
  });
  const detected = new Set(tracks.flatMap(({ sightings }) => sightings.map(({ time }) => time)));
  return { kept, share: detected.size / frames.length, looks: looks.length };
}

/** The first and the last frame, and evenly spaced ones between them about every half second. */
function chooseLooks(frames: readonly VideoFrame[]): VideoFrame[] {
  const seconds = (frames.at(-1)?.time ?? 0) - (frames[0]?.time ?? 0);
  const steps = Math.max(1, Math.ceil(seconds / LOOK_INTERVAL));
  const indices = Array.from({ length: steps + 1 }, (_, i) => Math.round((i * (frames.length - 1)) / steps));
  return frames.length === 0 ? [] : [...new Set(indices)].map((index) => frames[index]!);
}

/** The frames between two looks of which only one saw a face that counts, those next to the other one first. */
function inTransitions(frames: readonly VideoFrame[], tracks: readonly Track[], looks: readonly Look[]): VideoFrame[] {
  const sawFace = ({ time }: Look) => tracks.some((track) => isSeen(track, time));
  return looks.slice(1).flatMap((after, i) => {
    const before = looks[i]!;
    if (sawFace(before) === sawFace(after)) return [];
    const inside = frames.filter(({ time }) => time > before.time && time < after.time);
    return sawFace(after) ? inside : inside.reverse();
  });
}

/** Searches for faces everywhere in the frames between the looks. */
class Searches {
  readonly #frames: readonly VideoFrame[];
  readonly #tracks: readonly Track[];
  readonly #subject: Subject;
  readonly #detector: FaceDetector;
  readonly #complete = new Map<VideoFrame, Face[]>();
  /** Searches that began before it was known whether they are needed, for faces of `minFace` pixels and more. */
  readonly #early = new Map<VideoFrame, { minFace: number; faces: Promise<Face[]> }>();
  #stopped = false;

  constructor(frames: readonly VideoFrame[], tracks: readonly Track[], subject: Subject, detector: FaceDetector) {
    this.#frames = frames;
    this.#tracks = tracks;
    this.#subject = subject;
    this.#detector = detector;
  }

  /** Searches some frames at once. */
  async complete(frames: readonly VideoFrame[]): Promise<void> {
    await mapConcurrent(frames, this.#processes, async (frame) => {
      this.#complete.set(frame, await this.#search(frame, this.#minFace(frame)));
    });
  }

  /** Other processes search frames, one after the other, that may have to be searched later; until `stop`. */
  async ahead(frames: readonly VideoFrame[]): Promise<void> {
    if (this.#processes === 1) return;
    for (const frame of frames) {
      if (this.#stopped) return;
      this.#begin(frame);
      await this.#early.get(frame)?.faces.catch(() => {});
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The faces of one of the frames. Who is lost in it mostly is in the next one, too: it is searched beside it. */
  async of(frame: VideoFrame): Promise<Face[]> {
    const complete = this.#complete.get(frame);
    if (complete) return complete;
    const early = this.#early.get(frame);
    const minFace = this.#minFace(frame);
    // By what was found meanwhile, smaller faces may have become possible, or impossible.
    if (early?.minFace === minFace) return early.faces;
    const faces = this.#search(frame, minFace);
    const index = this.#frames.indexOf(frame);
    for (const next of this.#frames.slice(index + 1, index + this.#processes)) this.#begin(next);
    return faces;
  }

  #begin(frame: VideoFrame): void {
    if (this.#complete.has(frame) || this.#early.has(frame)) return;
    const minFace = this.#minFace(frame);
    const faces = this.#search(frame, minFace);
    // Whoever needs it hears of a failure.
    faces.catch(() => {});
    this.#early.set(frame, { minFace, faces });
  }

  #search(frame: VideoFrame, minFace: number): Promise<Face[]> {
    return lookFor(frame, this.#subject, this.#detector, minFace);
  }

  #minFace(frame: VideoFrame): number {
    return wantedSize(frame, Math.min(...this.#tracks.map((track) => smallestSize(track, frame.time))));
  }

  get #processes(): number {
    return this.#detector.processes ?? 1;
  }
}

/** The faces of a frame; for the largest one, smaller faces are looked for only where there is no large one. */
function lookFor(frame: VideoFrame, subject: Subject, detector: FaceDetector, minFace: number): Promise<Face[]> {
  const side = Math.min(frame.width, frame.height);
  const enough = subject === 'largest' ? Math.max(minFace, pyramidStep(side * LARGE_FACE_SHARE)) : minFace;
  return detector.detect(frame, minFace, enough);
}

/** Pixels of the smallest face of a frame that is looked for. @param least what is smaller is not wanted */
function wantedSize({ width, height }: VideoFrame, least = 0): number {
  return pyramidStep(Math.max(least, Math.min(width, height) * MIN_FACE_SHARE));
}

/**
 * The largest face of so many pixels or less that a step of the usual pyramid begins with: what is larger then gets the
 * very boxes that the whole pyramid would give it.
 */
function pyramidStep(pixels: number): number {
  let size = MIN_FACE;
  while (size / PYRAMID_FACTOR <= pixels) size /= PYRAMID_FACTOR;
  return size;
}

/**
 * Adds to each track its sightings in frames between the looks. Each one helps to find the next, so that a face that
 * moves fast is not lost; no two tracks get the same face of a frame.
 */
async function fillBetween(
  frames: readonly VideoFrame[],
  tracks: readonly Track[],
  detector: FaceDetector,
  everywhere: (frame: VideoFrame) => Promise<Face[]>,
): Promise<void> {
  for (const frame of frames) {
    const taken: Box[] = [];
    let faces: Promise<Face[]> | undefined;
    const anywhere = () => (faces ??= everywhere(frame));
    for (const track of tracks) {
      const sighting = await locate(frame, track, taken, detector, anywhere);
      if (!sighting) continue;
      track.sightings.push(sighting);
      track.sightings.sort((a, b) => a.time - b.time);
      taken.push(sighting.box);
    }
  }
}

/** A track's face in a frame between two looks, or null when it is not there. */
async function locate(
  frame: VideoFrame,
  track: Track,
  taken: readonly Box[],
  detector: FaceDetector,
  everywhere: () => Promise<Face[]>,
): Promise<Sighting | null> {
  const { time } = frame;
  const isFree = ({ box }: Face) => !taken.some((other) => intersectionOverUnion(other, box) > SAME_FACE);
  const place = predictBox(track, time);
  const face = await settle(frame, place, detector);
  if (face && isFree(face)) return { time, box: face.box, probability: face.probability };
  const seconds = Math.min(...track.sightings.map((sighting) => Math.abs(sighting.time - time)));
  const [nearest] = (await everywhere())
    .filter(isFree)
    .map(({ box, probability }) => ({ box, probability, distance: placeDistance(place, box, seconds) }))
    .filter(({ distance }) => distance <= 1)
    .sort((a, b) => a.distance - b.distance);
  return nearest ? { time, box: nearest.box, probability: nearest.probability } : null;
}

/**
 * The face near a place, by the last net alone. Its box is exact only where it was asked for nearly that box: it is
 * asked again from there. The mean of the two is nearer to what the whole cascade finds than either. Null when there is
 * no face, or none that it can settle on.
 */
async function settle(frame: VideoFrame, place: Box, detector: FaceDetector): Promise<Face | null> {
  let asked = place;
  for (let ask = 0; ask < MAX_ASKS; ask++) {
    const face = await detector.refine(frame, asked);
    if (!face || face.probability <= FACE_THRESHOLD) return null;
    if (intersectionOverUnion(asked, face.box) >= SETTLED) return { ...face, box: meanBox(asked, face.box) };
    asked = face.box;
  }
  return null;
}

function meanBox(a: Box, b: Box): Box {
  const mean = (side: 0 | 1 | 2 | 3) => (a[side] + b[side]) / 2;
  return [mean(0), mean(1), mean(2), mean(3)];
}

/** Whether the face was seen in the look before a time or in the one after it. */
function isExpected(track: Track, time: number, looks: readonly Look[]): boolean {
  const around = [looks.findLast((look) => look.time <= time), looks.find((look) => look.time >= time)];
  return around.some((look) => look && isSeen(track, look.time));
}

function isSeen({ sightings }: Track, time: number): boolean {
  return sightings.some((sighting) => sighting.time === time);
}

/** Whether the face was seen at a time, or so shortly before and after that it can be taken to have been there. */
function isCovered({ sightings }: Track, time: number): boolean {
  const previous = sightings.findLast((sighting) => sighting.time <= time);
  const next = sightings.find((sighting) => sighting.time >= time);
  if (previous?.time === time) return true;
  return previous !== undefined && next !== undefined && next.time - previous.time <= MAX_GAP;
}
