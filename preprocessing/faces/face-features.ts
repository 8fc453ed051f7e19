import type { Subject } from '../../common/bundle.js';
import type { FaceFeatures, Missing } from '../features.js';
import type { VideoFrame } from '../media/decode.js';
import { CROP_BYTES, cropFace } from './crop.js';
import type { FaceDetector } from './face-detector.js';
import { followFaces } from './follow-faces.js';

export interface FaceResult {
  features: FaceFeatures | Missing;
  /** Share of the chosen frames in which a face that counts was detected. */
  share: number;
  /** Milliseconds that cutting out the crops took. */
  cropping: number;
}

/** Of a clip that should have pictures and gives none. */
export const UNDECODABLE_PICTURES = withoutFace({ status: 'failed', reason: 'the pictures cannot be decoded' });

/**
 * The face crops of one clip's subject, in order of time: one crop a frame, or with subject `all` those of everybody in
 * the frame, the largest first. `times` has one entry a crop. Frames without such a face are left out.
 *
 * @param frames candidate frames in order of time
 * @param span seconds of the clip that count
 * @param maxFrames most frames kept, evenly spaced
 */
export async function faceFeatures(
  frames: readonly VideoFrame[],
  span: { start: number; end: number },
  { maxFrames, subject }: { maxFrames: number; subject: Subject },
  detector: FaceDetector,
): Promise<FaceResult> {
  const { kept, share, looks } = await followFaces(chooseFrames(frames, span, maxFrames), subject, detector);
  if (kept.length === 0) {
    const reason = `no face was found in ${looks} frame${looks === 1 ? '' : 's'} looked at`;
    return withoutFace({ status: 'missing', reason });
  }
  const start = performance.now();
  const crops = kept.flatMap(({ frame, boxes }) => boxes.map((box) => ({ frame, box })));
  const data = new Uint8Array(crops.length * CROP_BYTES);
  for (const [i, { frame, box }] of crops.entries()) cropFace(frame, box, data, i * CROP_BYTES);
  const times = crops.map(({ frame }) => frame.time);
  return {
    features: { status: 'used', data, frames: crops.length, times },
    share,
    cropping: performance.now() - start,
  };
}

/** The result for a clip that shows no face. */
export function withoutFace(features: Missing): FaceResult {
  return { features, share: 0, cropping: 0 };
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
