import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box } from '../../preprocessing/faces/boxes.js';
import type { Face } from '../../preprocessing/faces/face-detector.js';
import { chooseFrames } from '../../preprocessing/faces/face-features.js';
import {
  chooseTracks,
  findTracks,
  type Look,
  predictBox,
  type Track,
} from '../../preprocessing/faces/subject-track.js';

function face(x: number, y: number, size: number, probability = 1): Face {
  return { box: [x, y, x + size, y + size], probability, points: [] };
}

function looks(...faces: Face[][]): Look[] {
  return faces.map((found, i) => ({ time: i / 2, faces: found }));
}

const PICTURE = { width: 640, height: 360 };

function findSubject(seen: readonly Look[]): Track | undefined {
  return chooseTracks(findTracks(seen), 'largest', PICTURE)[0];
}

function boxesOf(track: Track | undefined): Box[] {
  return track!.sightings.map(({ box }) => box);
}

describe('the subject', () => {
  it('is nobody when no face was seen', () => {
    expect(findSubject(looks([], [], []))).toBeUndefined();
  });

  it('is the same person though the order of size changes from look to look', () => {
    const left = [face(0, 0, 100), face(4, 2, 90), face(8, 0, 100)];
    const right = [face(400, 0, 90), face(396, 0, 95), face(400, 0, 80)];
    const subject = findSubject(looks([left[0]!, right[0]!], [right[1]!, left[1]!], [left[2]!, right[2]!]));
    expect(boxesOf(subject)).toEqual(left.map(({ box }) => box));
  });

  it('is who is there all the time rather than a larger face for a moment', () => {
    const steady = Array.from({ length: 6 }, () => face(0, 0, 80));
    const subject = findSubject(looks(...steady.map((one, i) => (i === 3 ? [face(300, 0, 150), one] : [one]))));
    expect(boxesOf(subject)).toHaveLength(6);
  });

  it('is the more certain one of two faces of the same size', () => {
    const subject = findSubject(looks([face(0, 0, 80, 0.72), face(300, 0, 80, 0.99)]));
    expect(boxesOf(subject)).toEqual([[300, 0, 380, 80]]);
  });

  it('is, when asked for, who is nearest to the centre of the picture rather than the largest', () => {
    const large = [face(0, 0, 160), face(0, 0, 160)];
    const central = [face(280, 140, 80), face(300, 150, 80)];
    const tracks = findTracks(looks([large[0]!, central[0]!], [large[1]!, central[1]!]));
    expect(boxesOf(chooseTracks(tracks, 'center', PICTURE)[0])).toEqual(central.map(({ box }) => box));
  });

  it('is not who crosses the centre for a moment', () => {
    const steady = Array.from({ length: 6 }, () => face(150, 100, 80));
    const tracks = findTracks(looks(...steady.map((one, i) => (i === 3 ? [one, face(290, 150, 60)] : [one]))));
    expect(boxesOf(chooseTracks(tracks, 'center', PICTURE)[0])).toHaveLength(6);
  });

  it('is everybody when asked for, the largest first, but no more than eight', () => {
    const crowd = Array.from({ length: 12 }, (_, i) => face(100 * i, 0, 30 + i));
    const tracks = chooseTracks(findTracks(looks(crowd)), 'all', PICTURE);
    expect(tracks.map((track) => boxesOf(track)[0]![0])).toEqual([1100, 1000, 900, 800, 700, 600, 500, 400]);
  });

  it('is followed through looks without a face', () => {
    expect(boxesOf(findSubject(looks([face(0, 0, 80)], [], [], [face(60, 0, 85)])))).toHaveLength(2);
  });

  it('is not taken for a face across the picture or of another size', () => {
    expect(boxesOf(findSubject(looks([face(0, 0, 80)], [face(500, 0, 70)])))).toHaveLength(1);
    expect(boxesOf(findSubject(looks([face(0, 0, 80)], [face(0, 0, 30)])))).toHaveLength(1);
  });

  it('is expected on the straight line between two sightings, and where it was nearest beyond them', () => {
    const track = findSubject(looks([face(0, 0, 80)], [face(40, 20, 100)]))!;
    expect(predictBox(track, 0.125)).toEqual([10, 5, 95, 90]);
    expect(predictBox(track, 0.5)).toEqual([40, 20, 140, 120]);
    expect(predictBox(track, -1)).toEqual([0, 0, 80, 80]);
    expect(predictBox(track, 9)).toEqual([40, 20, 140, 120]);
  });
});

describe('the frames kept', () => {
  it('lie in the span, in order, evenly spaced, and are as many as asked for or all', () => {
    const property = (count: number, kept: number, from: number, length: number) => {
      const frames = Array.from({ length: count }, (_, i) => ({ time: i }));
      const span = { start: from, end: from + length };
      const chosen = chooseFrames(frames, span, kept).map(({ time }) => time);
      const inside = frames.filter(({ time }) => time >= span.start && time < span.end).length;
      expect(chosen).toHaveLength(inside === 0 ? 1 : Math.min(kept, inside));
      if (inside === 0) return;
      expect(chosen.every((time) => time >= span.start && time < span.end)).toBe(true);
      const steps = chosen.slice(1).map((time, i) => time - chosen[i]!);
      // Frames cannot be cut: the steps differ by one frame at most.
      if (steps.length > 0) expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
      expect(Math.min(1, ...steps)).toBeGreaterThan(0);
    };
    const integer = (min: number, max: number) => fc.integer({ min, max });
    fc.assert(fc.property(integer(1, 200), integer(1, 40), integer(0, 150), integer(1, 200), property));
  });
});
