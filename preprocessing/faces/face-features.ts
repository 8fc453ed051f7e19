import type { FaceFeatures, Missing } from '../features.js';
import type { VideoFrame } from '../media/decode.js';
import { intersectionOverUnion } from './boxes.js';
import { CROP_BYTES, cropFace } from './crop.js';
import { FACE_THRESHOLD, type FaceDetector, MIN_FACE, PYRAMID_FACTOR } from './face-detector.js';
import { findSubject, type Look, placeDistance, predictBox, type Sighting, type Track } from './subject-track.js';

/** Seconds between the frames in which faces are looked for everywhere. */
const LOOK_INTERVAL = 0.5;
/** A face that is not seen for at most this many seconds is taken to have been there, where its neighbours were. */
const MAX_GAP = 0.5;
/** The last net's box replaces the one on the straight line between two looks where they overlap less than this. */
const AGREEMENT = 0.85;
/** Faces smaller than this share of the picture's shorter side are no subject. */
const MIN_FACE_SHARE = 0.05;

export interface FaceResult {
  features: FaceFeatures | Missing;
  /** Share of the chosen frames in which the subject's face was detected. */
  share: number;
  /** Milliseconds that cutting out the crops took. */
  cropping: number;
}

/** Of a clip that should have pictures and gives none. */
export const UNDECODABLE_PICTURES: FaceResult = {
  features: { status: 'failed', reason: 'the pictures cannot be decoded' },
  share: 0,
  cropping: 0,
};

/**
 * The face crops of one clip's subject: the track of the largest, most certain face. Faces are looked for in a frame
 * about every half second; in the frames between, the last net says whether the face is where the track predicts it,
 * and it is looked for everywhere when it is not. Short gaps are filled from the neighbours; other frames without the subject's
 * face are left out.
 *
 * @param frames candidate frames in order of time
 * @param span seconds of the clip that count
 * @param maxFrames most frames kept, evenly spaced
 */
export async function faceFeatures(
  frames: readonly VideoFrame[],
  span: { start: number; end: number },
  maxFrames: number,
  detector: FaceDetector,
): Promise<FaceResult> {
  const chosen = chooseFrames(frames, span, maxFrames);
  const looks: (Look & { frame: VideoFrame })[] = [];
  for (const frame of chooseLooks(chosen)) {
    looks.push({ frame, time: frame.time, faces: await detector.detect(frame, smallestFace(frame)) });
  }
  const subject = findSubject(looks);
  if (!subject) {
    const reason = `no face was found in ${looks.length} frame${looks.length === 1 ? '' : 's'} looked at`;
    return { features: { status: 'missing', reason }, share: 0, cropping: 0 };
  }
  const looked = new Set(looks.map(({ frame }) => frame));
  const between: Sighting[] = [];
  for (const frame of chosen.filter((frame) => !looked.has(frame))) {
    const sighting = await locate(frame, subject, detector);
    if (sighting) between.push(sighting);
  }
  const track = { sightings: [...subject.sightings, ...between].sort((a, b) => a.time - b.time) };
  const kept = chosen.filter(({ time }) => isCovered(track, time));
  const start = performance.now();
  const data = new Uint8Array(kept.length * CROP_BYTES);
  for (const [i, frame] of kept.entries()) cropFace(frame, predictBox(track, frame.time), data, i * CROP_BYTES);
  return {
    features: { status: 'used', data, frames: kept.length, times: kept.map(({ time }) => time) },
    share: track.sightings.length / chosen.length,
    cropping: performance.now() - start,
  };
}

/** Frames in the middles of `count` equal parts of those within the span; the nearest one when none is. */
export function chooseFrames<T extends { time: number }>(
  frames: readonly T[],
  span: { start: number; end: number },
  count: number,
): T[] {
  const inside = frames.filter(({ time }) => time >= span.start && time < span.end);
  if (inside.length === 0) {
    const distance = ({ time }: T) => Math.abs(time - (span.start + span.end) / 2);
    return frames.length === 0
      ? []
      : [frames.reduce((best, frame) => (distance(frame) < distance(best) ? frame : best))];
  }
  const kept = Math.min(count, inside.length);
  return Array.from({ length: kept }, (_, i) => inside[Math.floor(((i + 0.5) * inside.length) / kept)]!);
}

/** The first and the last frame, and evenly spaced ones between them about every half second. */
function chooseLooks(chosen: readonly VideoFrame[]): VideoFrame[] {
  const seconds = (chosen.at(-1)?.time ?? 0) - (chosen[0]?.time ?? 0);
  const steps = Math.max(1, Math.ceil(seconds / LOOK_INTERVAL));
  const indices = Array.from({ length: steps + 1 }, (_, i) => Math.round((i * (chosen.length - 1)) / steps));
  return [...new Set(indices)].map((index) => chosen[index]!);
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

/** The subject's face in a frame between two looks, or null when it is not there. */
async function locate(frame: VideoFrame, subject: Track, detector: FaceDetector): Promise<Sighting | null> {
  const { time } = frame;
  const place = predictBox(subject, time);
  const face = await detector.refine(frame, place);
  if (face && face.probability > FACE_THRESHOLD) {
    // Seen where it was expected: the straight line is the steadier of two good boxes.
    const box = intersectionOverUnion(place, face.box) >= AGREEMENT ? place : face.box;
    return { time, box, probability: face.probability };
  }
  const faces = await detector.detect(frame, smallestFace(frame));
  const [nearest] = faces
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
