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
 * second, and every quarter where they come, go or are not there; in the frames between, the last net says whether a face
 * is where its track predicts it, and where exactly; it is looked for everywhere when it is not, until it is gone. Short
 * gaps are filled from the neighbours.
 *
 * @param frames in order of time
 */
export async function followFaces(
  frames: readonly VideoFrame[],
  subject: Subject,
  detector: FaceDetector,
): Promise<FollowedFaces> {
  const search: Search = (frame, minFace) => lookFor(frame, subject, detector, minFace);
  const lookAt = (some: readonly VideoFrame[], tracks?: readonly Track[]): Promise<FrameLook[]> =>
    mapConcurrent(some, detector.processes ?? 1, async (frame) => {
      return { frame, time: frame.time, faces: await search(frame, wantedSize(frame, tracks)) };
    });
  const looks = await lookAt(chooseLooks(frames));
  const first = looks[0];
  if (!first) return { kept: [], share: 0, looks: 0 };
  const tracks = chooseTracks(findTracks(looks), subject, first.frame);
  if (tracks.length > 0) {
    const middles = gapsOf(frames, looks, tracks).flatMap(({ inside, sure }) => (sure ? [] : middleOf(inside)));
    const more = await lookAt(middles, tracks);
    for (const { frame, faces } of more) await sight(frame, tracks, async () => faces);
    for (const gap of gapsOf(frames, [...looks, ...more], tracks)) await followThrough(gap, tracks, detector, search);
  }
  const kept = frames.flatMap((frame) => {
    const boxes = tracks.filter((track) => isCovered(track, frame.time)).map((track) => predictBox(track, frame.time));
    return boxes.length > 0 ? [{ frame, boxes: boxes.sort((a, b) => boxArea(b) - boxArea(a)) }] : [];
  });
  const detected = new Set(tracks.flatMap(({ sightings }) => sightings.map(({ time }) => time)));
  return { kept, share: detected.size / frames.length, looks: looks.length };
}

/** Finds the faces of a frame that have so many pixels or more. */
type Search = (frame: VideoFrame, minFace: number) => Promise<Face[]>;

interface FrameLook extends Look {
  frame: VideoFrame;
}

/** The first and the last frame, and evenly spaced ones between them about every half second. */
function chooseLooks(frames: readonly VideoFrame[]): VideoFrame[] {
  const seconds = (frames.at(-1)?.time ?? 0) - (frames[0]?.time ?? 0);
  const steps = Math.max(1, Math.ceil(seconds / LOOK_INTERVAL));
  const indices = Array.from({ length: steps + 1 }, (_, i) => Math.round((i * (frames.length - 1)) / steps));
  return frames.length === 0 ? [] : [...new Set(indices)].map((index) => frames[index]!);
}

/** The frames between two that were looked at. */
interface Gap {
  /** From the side on which a face that counts was seen; else in order of time. */
  inside: VideoFrame[];
  /** Whether such a face was seen before or after them … */
  seen: boolean;
  /** … and both before and after. */
  sure: boolean;
}

function gapsOf(frames: readonly VideoFrame[], looks: readonly Look[], tracks: readonly Track[]): Gap[] {
  const sawFace = ({ time }: Look) => tracks.some((track) => isSeen(track, time));
  const ordered = [...looks].sort((a, b) => a.time - b.time);
  return ordered.slice(1).map((after, i) => {
    const before = ordered[i]!;
    const inside = frames.filter(({ time }) => time > before.time && time < after.time);
    const [seenBefore, seenAfter] = [sawFace(before), sawFace(after)];
    if (!seenBefore && seenAfter) inside.reverse();
    return { inside, seen: seenBefore || seenAfter, sure: seenBefore && seenAfter };
  });
}

function middleOf(frames: readonly VideoFrame[]): VideoFrame[] {
  const index = Math.floor(frames.length / 2);
  return frames.slice(index, index + 1);
}

/**
 * Adds to each track its sightings in the frames of a gap. Each one helps to find the next, so that a face that moves
 * fast is not lost. Where a side shows no face that counts, only the last net is asked from the first frame on that shows
 * none: a face that is hard to see comes and goes.
 */
async function followThrough(
  { inside, seen, sure }: Gap,
  tracks: readonly Track[],
  detector: FaceDetector,
  search: Search,
): Promise<void> {
  // Who is lost in a frame mostly is in the next one, too; but where a face goes that one is not searched at all.
  const searches = new Searches(inside, tracks, search, sure ? (detector.processes ?? 1) : 1);
  let isOver = !seen;
  for (const frame of inside) {
    const everywhere = async () => (isOver ? [] : searches.of(frame));
    const found = await sight(frame, tracks, everywhere, detector);
    isOver ||= !found && !sure;
  }
}

/** Searches for faces everywhere in the frames of a gap, of which the next ones are searched beside one that has to be. */
class Searches {
  readonly #frames: readonly VideoFrame[];
  readonly #tracks: readonly Track[];
  readonly #search: Search;
  readonly #atOnce: number;
  /** Searches that began before it was known whether they are needed, for faces of `minFace` pixels and more. */
  readonly #early = new Map<VideoFrame, { minFace: number; faces: Promise<Face[]> }>();

  constructor(frames: readonly VideoFrame[], tracks: readonly Track[], search: Search, atOnce: number) {
    this.#frames = frames;
    this.#tracks = tracks;
    this.#search = search;
    this.#atOnce = atOnce;
  }

  async of(frame: VideoFrame): Promise<Face[]> {
    const early = this.#early.get(frame);
    const minFace = wantedSize(frame, this.#tracks);
    // By what was found meanwhile, smaller faces may have become possible, or impossible.
    if (early?.minFace === minFace) return early.faces;
    const faces = this.#search(frame, minFace);
    const index = this.#frames.indexOf(frame);
    for (const next of this.#frames.slice(index + 1, index + this.#atOnce)) this.#begin(next);
    return faces;
  }

  #begin(frame: VideoFrame): void {
    const minFace = wantedSize(frame, this.#tracks);
    const faces = this.#search(frame, minFace);
    // Whoever needs it hears of a failure.
    faces.catch(() => {});
    this.#early.set(frame, { minFace, faces });
  }
}

/** The faces of a frame; for the largest one, smaller faces are looked for only where there is no large one. */
function lookFor(frame: VideoFrame, subject: Subject, detector: FaceDetector, minFace: number): Promise<Face[]> {
  const side = Math.min(frame.width, frame.height);
  const enough = subject === 'largest' ? Math.max(minFace, pyramidStep(side * LARGE_FACE_SHARE)) : minFace;
  return detector.detect(frame, minFace, enough);
}

/** Pixels of the smallest face of a frame that is looked for: a subject, and where there are tracks one of theirs. */
function wantedSize({ width, height, time }: VideoFrame, tracks?: readonly Track[]): number {
  const least = tracks ? Math.min(...tracks.map((track) => smallestSize(track, time))) : 0;
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
 * Adds to each track its sighting in a frame, if there is one; no two tracks get the same face.
 *
 * @param everywhere finds all faces of the frame; asked once at most
 * @param detector asked first whether a face is where its track predicts it; not at all when absent
 * @returns whether there is a sighting
 */
async function sight(
  frame: VideoFrame,
  tracks: readonly Track[],
  everywhere: () => Promise<Face[]>,
  detector?: FaceDetector,
): Promise<boolean> {
  const taken: Box[] = [];
  const isFree = ({ box }: Face) => !taken.some((other) => intersectionOverUnion(other, box) > SAME_FACE);
  let faces: Promise<Face[]> | undefined;
  for (const track of tracks) {
    const settled = detector ? await settle(frame, predictBox(track, frame.time), detector) : null;
    let face = settled && isFree(settled) ? settled : null;
    if (!face) {
      faces ??= everywhere();
      face = nearestFace((await faces).filter(isFree), track, frame.time);
    }
    if (!face) continue;
    track.sightings.push({ time: frame.time, box: face.box, probability: face.probability });
    track.sightings.sort((a, b) => a.time - b.time);
    taken.push(face.box);
  }
  return taken.length > 0;
}

/** The face that may be the track's at a time and is the nearest to where that predicts it. */
function nearestFace(faces: readonly Face[], track: Track, time: number): Face | null {
  const place = predictBox(track, time);
  const seconds = Math.min(...track.sightings.map((sighting) => Math.abs(sighting.time - time)));
  const [nearest] = faces
    .map((face) => ({ face, distance: placeDistance(place, face.box, seconds) }))
    .filter(({ distance }) => distance <= 1)
    .sort((a, b) => a.distance - b.distance);
  return nearest?.face ?? null;
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
