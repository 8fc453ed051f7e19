import type { Subject } from '../../common/bundle.js';
import type { VideoFrame } from '../media/decode.js';
import { type Box, boxArea, intersectionOverUnion } from './boxes.js';
import { FACE_THRESHOLD, type Face, type FaceDetector, MIN_FACE, PYRAMID_FACTOR } from './face-detector.js';
import {
  chooseTracks,
  findTracks,
  type Look,
  placeDistance,
  predictBox,
  type Sighting,
  type Track,
} from './subject-track.js';

/** Seconds between the frames in which faces are looked for everywhere. */
const LOOK_INTERVAL = 0.5;
/** A face that is not seen for at most this many seconds is taken to have been there, where its neighbours were. */
const MAX_GAP = 0.5;
/** The last net's box replaces the one on the straight line between two looks where they overlap less than this. */
const AGREEMENT = 0.85;
/** Two boxes that overlap more than this are the same face. */
const SAME_FACE = 0.5;
/** Faces smaller than this share of the picture's shorter side are no subject. */
const MIN_FACE_SHARE = 0.05;

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
 * second; in the frames between, the last net says whether a face is where its track predicts it, and it is looked for
 * everywhere when it is not. Short gaps are filled from the neighbours.
 *
 * @param frames in order of time
 */
export async function followFaces(
  frames: readonly VideoFrame[],
  subject: Subject,
  detector: FaceDetector,
): Promise<FollowedFaces> {
  const looks: (Look & { frame: VideoFrame })[] = [];
  for (const frame of chooseLooks(frames)) {
    looks.push({ frame, time: frame.time, faces: await detector.detect(frame, smallestFace(frame)) });
  }
  const first = looks[0];
  if (!first) return { kept: [], share: 0, looks: 0 };
  const tracks = chooseTracks(findTracks(looks), subject, first.frame);
  const looked = new Set(looks.map(({ frame }) => frame));
  const between = frames.filter((frame) => !looked.has(frame));
  const found = tracks.length > 0 ? await locateBetween(between, tracks, detector) : [];
  const whole = tracks.map(({ sightings }, i) => ({
    sightings: [...sightings, ...found[i]!].sort((a, b) => a.time - b.time),
  }));
  const kept = frames.flatMap((frame) => {
    const boxes = whole.filter((track) => isCovered(track, frame.time)).map((track) => predictBox(track, frame.time));
    return boxes.length > 0 ? [{ frame, boxes: boxes.sort((a, b) => boxArea(b) - boxArea(a)) }] : [];
  });
  const detected = new Set(whole.flatMap(({ sightings }) => sightings.map(({ time }) => time)));
  return { kept, share: detected.size / frames.length, looks: looks.length };
}

/** The first and the last frame, and evenly spaced ones between them about every half second. */
function chooseLooks(frames: readonly VideoFrame[]): VideoFrame[] {
  const seconds = (frames.at(-1)?.time ?? 0) - (frames[0]?.time ?? 0);
  const steps = Math.max(1, Math.ceil(seconds / LOOK_INTERVAL));
  const indices = Array.from({ length: steps + 1 }, (_, i) => Math.round((i * (frames.length - 1)) / steps));
  return frames.length === 0 ? [] : [...new Set(indices)].map((index) => frames[index]!);
}

/**
 * The smallest face to look for, as a size that starts on a step of the usual pyramid: larger faces then get the very
 * boxes that the whole pyramid would give them.
 */
function smallestFace({ width, height }: VideoFrame): number {
  let size = MIN_FACE;
  while (size / PYRAMID_FACTOR <= Math.min(width, height) * MIN_FACE_SHARE) size /= PYRAMID_FACTOR;
  return size;
}

/** The sightings of each track in frames between the looks; no two tracks get the same face of a frame. */
async function locateBetween(
  frames: readonly VideoFrame[],
  tracks: readonly Track[],
  detector: FaceDetector,
): Promise<Sighting[][]> {
  const found: Sighting[][] = tracks.map(() => []);
  for (const frame of frames) {
    const taken: Box[] = [];
    let faces: Promise<Face[]> | undefined;
    const everywhere = () => (faces ??= detector.detect(frame, smallestFace(frame)));
    for (const [i, track] of tracks.entries()) {
      const sighting = await locate(frame, track, taken, detector, everywhere);
      if (!sighting) continue;
      found[i]!.push(sighting);
      taken.push(sighting.box);
    }
  }
  return found;
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
  const face = await detector.refine(frame, place);
  if (face && face.probability > FACE_THRESHOLD && isFree(face)) {
    // Seen where it was expected: the straight line is the steadier of two good boxes.
    const box = intersectionOverUnion(place, face.box) >= AGREEMENT ? place : face.box;
    return { time, box, probability: face.probability };
  }
  const [nearest] = (await everywhere())
    .filter(isFree)
    .map(({ box, probability }) => ({ box, probability, distance: placeDistance(place, box, LOOK_INTERVAL) }))
    .filter(({ distance }) => distance <= 1)
    .sort((a, b) => a.distance - b.distance);
  return nearest ? { time, box: nearest.box, probability: nearest.probability } : null;
}

/** Whether the face was seen at a time, or so shortly before and after that it can be taken to have been there. */
function isCovered({ sightings }: Track, time: number): boolean {
  const previous = sightings.findLast((sighting) => sighting.time <= time);
  const next = sightings.find((sighting) => sighting.time >= time);
  if (previous?.time === time) return true;
  return previous !== undefined && next !== undefined && next.time - previous.time <= MAX_GAP;
}
