import type { Subject } from '../../common/bundle.js';
import { type Box, boxArea } from './boxes.js';
import type { Face } from './face-detector.js';

/** The faces of one frame that was looked at. */
export interface Look {
  time: number;
  faces: Face[];
}

/** One person's face over time; `sightings` in order of time. */
export interface Track {
  sightings: Sighting[];
}

export interface Sighting {
  time: number;
  box: Box;
  probability: number;
}

/** A face may move by so many of its own sizes from one frame to the next … */
const REACH_SIZES = 1;
/** … and by so many more for each second between them. */
const REACH_SIZES_PER_SECOND = 6;
/** It may grow or shrink by this factor at most. */
const MAX_GROWTH = 2;

/** Of more tracks the lightest are not followed: a picture full of faces must not cost hours. */
const MAX_TRACKS = 8;

/**
 * Links the faces of several looks into tracks: each look's faces go to the tracks that were last seen nearest to them.
 *
 * @param looks in order of time
 */
export function findTracks(looks: readonly Look[]): Track[] {
  const tracks: Track[] = [];
  for (const { time, faces } of looks) {
    const open = new Set(tracks);
    const pairs = [...open]
      .flatMap((track) => faces.map((face) => ({ track, face, distance: linkDistance(track, face, time) })))
      .filter(({ distance }) => distance <= 1)
      .sort((a, b) => a.distance - b.distance);
    const unlinked = new Set(faces);
    for (const { track, face } of pairs) {
      if (!open.has(track) || !unlinked.has(face)) continue;
      open.delete(track);
      unlinked.delete(face);
      track.sightings.push({ time, box: face.box, probability: face.probability });
    }
    for (const { box, probability } of unlinked) tracks.push({ sightings: [{ time, box, probability }] });
  }
  return tracks;
}

/**
 * The tracks that a clip is about, the weightiest first.
 * - largest: the one of the greatest sum of area times probability
 * - center: the one of the greatest sum of nearness to the picture's centre times probability, so that being there all
 *   the time counts, too; nearness falls from 1 in the centre to 0 in the corners
 * - all: up to eight of them, in the order of `largest`
 */
export function chooseTracks(
  tracks: readonly Track[],
  subject: Subject,
  picture: { width: number; height: number },
): Track[] {
  const measure = subject === 'center' ? (box: Box) => nearnessToCentre(box, picture) : boxArea;
  const weight = ({ sightings }: Track) =>
    sightings.reduce((sum, { box, probability }) => sum + measure(box) * probability, 0);
  const weighed = tracks.map((track) => ({ track, weight: weight(track) })).sort((a, b) => b.weight - a.weight);
  return weighed.slice(0, subject === 'all' ? MAX_TRACKS : 1).map(({ track }) => track);
}

function nearnessToCentre([x1, y1, x2, y2]: Box, { width, height }: { width: number; height: number }): number {
  return 1 - Math.hypot(x1 + x2 - width, y1 + y2 - height) / Math.hypot(width, height);
}

/** How far a face is from where a track was last seen: at most 1 when it may be the same one. */
function linkDistance({ sightings }: Track, face: Face, time: number): number {
  const last = sightings.at(-1)!;
  return placeDistance(last.box, face.box, Math.abs(time - last.time));
}

/** Distance of two boxes that lie `seconds` apart in time, as a share of what one face may move in it. */
export function placeDistance(a: Box, b: Box, seconds: number): number {
  const [sizeA, sizeB] = [Math.sqrt(boxArea(a)), Math.sqrt(boxArea(b))];
  const growth = Math.max(sizeA / sizeB, sizeB / sizeA);
  if (!(growth <= MAX_GROWTH)) return Number.POSITIVE_INFINITY;
  const moved = Math.hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2;
  return moved / (((sizeA + sizeB) / 2) * (REACH_SIZES + REACH_SIZES_PER_SECOND * seconds));
}

/**
 * Where the track's face should be at a time: between two sightings on the straight line, outside of them where the
 * nearest one was.
 */
export function predictBox({ sightings }: Track, time: number): Box {
  const next = sightings.find((sighting) => sighting.time >= time) ?? sightings.at(-1)!;
  const previous = sightings.findLast((sighting) => sighting.time <= time) ?? sightings[0]!;
  const between = next.time > previous.time ? (time - previous.time) / (next.time - previous.time) : 0;
  const at = (side: 0 | 1 | 2 | 3) => previous.box[side] + (next.box[side] - previous.box[side]) * between;
  return [at(0), at(1), at(2), at(3)];
}

/** Pixels below which no face can be the track's at a time. */
export function smallestSize(track: Track, time: number): number {
  return Math.sqrt(boxArea(predictBox(track, time))) / MAX_GROWTH;
}
