import type { Compat, Subject } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { melFrames } from './audio/log-mel.js';
import { type SpeechResult, speechFeatures } from './audio/speech-features.js';
import type { FaceDetector } from './faces/face-detector.js';
import { type FaceResult, faceFeatures, UNDECODABLE_PICTURES, withoutFace } from './faces/face-features.js';
import { framesAhead, seedFaceFeatures } from './faces/seed-face-features.js';
import type { Missing, SpeechFeatures } from './features.js';
import { BlockPool } from './media/block-pool.js';
import { type Decoding, SAMPLE_RATE } from './media/decode.js';
import { decodeEarly } from './media/decode-early.js';
import type { MediaLimits } from './media/media-limits.js';
import type { MediaInfo } from './media/probe.js';
import { streamFrames } from './media/stream-frames.js';

/** Milliseconds of each stage of one clip. */
export interface ClipTimings {
  decode: number;
  audio: number;
  faces: number;
  /** Of the time for faces: cutting them out. */
  crops: number;
}

/** The stages of one clip's preprocessing, in their order. */
export const CLIP_STAGES = ['decode', 'audio', 'faces'] as const;
export type ClipStage = (typeof CLIP_STAGES)[number];

export interface ModalitySettings {
  /** Face frames kept, at most. */
  maxFrames: number;
  /** Whether `maxFrames` counts for each LONG_CLIP_SECONDS of a clip, not for the clip. */
  framesPerSpan: boolean;
  /** Whether faces are looked for. */
  faces: boolean;
  /** Whose face; compat seed keeps everybody's. */
  subject: Subject;
  limits: MediaLimits;
  /** Threads of the decoder. */
  threads: number;
  /** Told when a stage begins. */
  onStage(stage: ClipStage): void;
  signal?: AbortSignal;
}

/** Seconds of a clip. */
interface Span {
  start: number;
  end: number;
}

/** What is heard and seen of one clip. */
export interface HeardAndSeen {
  speech: SpeechFeatures | Missing;
  face: FaceResult;
  /** What survived trimming of silence; the whole clip where there is nothing to hear. */
  span: Span;
  /** Seconds of the whole clip: those that the file states, or else those that could be decoded. */
  duration: number;
  timings: ClipTimings;
  warnings: string[];
}

/** Longer clips are long: this is as much as the speech network hears at once. */
export const LONG_CLIP_SECONDS = 6.4;
/** A long clip keeps the face frames of so many short ones at most: 25.6 s at full density, then they thin out. */
export const LONG_CLIP_SPANS = 4;

/** Candidate frames are decoded before the trimmed span is known: so many times the frames that will be kept. */
const CANDIDATES_PER_FRAME = 1.5;
/** Candidates a second where a file does not state its duration. */
const FALLBACK_RATE = 12.5;
/** Larger pictures are scaled down to so many pixels: a face that matters is then still larger than its crop needs. */
const MAX_FRAME_PIXELS = 1280 * 720;
/** Below this share of the stated duration a file counts as truncated … */
const TRUNCATED_SHARE = 0.5;
/** … and when this many seconds are missing the user is told. */
const SHORT_SECONDS = 0.5;

/** Samples a second at which moviepy reads sound. */
const MOVIEPY_RATE = 44_100;

const pictureMemory = new BlockPool();

const NO_PICTURES = withoutFace({ status: 'missing', reason: 'the clip has no pictures' });
const NOT_WANTED = withoutFace({ status: 'missing', reason: 'faces were not looked for' });

/**
 * Sound and candidate frames come from one run of the decoder; of the frames within the trimmed span those are kept
 * that show the subject.
 *
 * @throws MerError as `probeMedia` does; undecodable_media, truncated_media, timeout or missing_part
 */
export async function defaultModalities(
  file: string,
  { faces, subject, limits, threads, onStage, signal, ...settings }: ModalitySettings,
  detector: FaceDetector,
): Promise<HeardAndSeen> {
  const stopwatch = createStopwatch();
  const { info, decoding } = await decodeEarly(file, limits, (info) => {
    const most = framesOf(info.duration ?? Number.POSITIVE_INFINITY, settings);
    const options = {
      framesPerSecond: info.duration ? (most * CANDIDATES_PER_FRAME) / info.duration : FALLBACK_RATE,
      maxFrames: Math.ceil(most * CANDIDATES_PER_FRAME) * 2,
      // A long clip may hold twice the pixels of a short one, not more.
      maxFramePixels: Math.round(MAX_FRAME_PIXELS * Math.min(1, (2 * settings.maxFrames) / most)),
      ...{ limits, threads, allocate: (size: number) => pictureMemory.take(size), ...(signal && { signal }) },
    };
    return { info: usedOf(info, faces), options };
  });
  const { pcm, frames, seconds } = await decoding.finish(info);
  const warnings = checkLength(usedOf(info, faces), seconds);
  const decode = stopwatch();
  onStage('audio');
  const { features: speech, span: samples } = speechOf(info, pcm, 'default');
  const span = samples ? secondsOf(samples) : { start: 0, end: seconds };
  const audio = stopwatch();
  onStage('faces');
  const maxFrames = framesOf(span.end - span.start, settings);
  const face = await facesOf(faces, info.video, async () => {
    return frames.length > 0 ? faceFeatures(frames, span, { maxFrames, subject }, detector) : UNDECODABLE_PICTURES;
  });
  pictureMemory.keep(frames);
  const timings = { decode, audio, faces: stopwatch(), crops: face.cropping };
  return { speech, face, span, duration: info.duration ?? seconds, warnings, timings };
}

/**
 * As the reference does it: the sound first, since its trimmed span says which frames are needed; then those one by
 * one, as the decoder gives them (waiting for it counts as time for faces). Without sound the frames of the whole clip
 * are taken, which the reference cannot do.
 *
 * @throws MerError as `probeMedia` does; undecodable_media, truncated_media, timeout or missing_part
 */
export async function seedModalities(
  file: string,
  { faces, limits, threads, onStage, signal }: ModalitySettings,
  detector: FaceDetector,
): Promise<HeardAndSeen> {
  const stopwatch = createStopwatch();
  const decoder = { limits, threads, ...(signal && { signal }) };
  const options = { framesPerSecond: 1, maxFrames: 1, maxFramePixels: 1, sampleRate: MOVIEPY_RATE, ...decoder };
  const { info, decoding } = await decodeEarly(file, limits, (info) =>
    info.audio ? { info: { ...info, video: null }, options } : null,
  );
  // The pictures' decoder starts beside the sound's.
  const { video, demuxer } = info;
  const lent = 1 + framesAhead(detector);
  const stream = faces && video ? streamFrames(file, video, demuxer, { ...decoder, lent }) : null;
  try {
    const pcm = decoding && (await finishSound(decoding, info));
    const decode = stopwatch();
    onStage('audio');
    const { features: speech, span: samples } = speechOf(info, pcm, 'seed');
    const heard = (pcm?.length ?? 0) / SAMPLE_RATE;
    const span = samples ? secondsOf(samples) : { start: 0, end: info.duration ?? heard };
    const moments = samples ? melFrames(samples.end - samples.start) : melFrames(span.end * SAMPLE_RATE);
    const audio = stopwatch();
    onStage('faces');
    // Where nothing is heard and no faces are wanted nothing is decoded: as far as is known the pictures are there.
    let seen = faces || heard > 0 ? 0 : span.end;
    const face = await facesOf(faces, stream, async (stream) => {
      const { ended, ...result } = await seedFaceFeatures(stream, span, moments, detector);
      // Frames after the last one needed are not read: as far as is known they are there.
      seen = ended ?? info.duration ?? span.end;
      return result;
    });
    const seconds = Math.max(heard, seen);
    const warnings = checkLength(usedOf(info, faces), seconds);
    const timings = { decode, audio, faces: stopwatch(), crops: face.cropping };
    return { speech, face, span, duration: info.duration ?? seconds, warnings, timings };
  } finally {
    stream?.kill();
  }
}

/**
 * The sound alone, at 16 kHz as moviepy makes it: the nearest one of the samples at 44.1 kHz, without a filter. Where
 * the ends are trimmed depends on it. Null when nothing of it can be decoded beside the pictures.
 */
async function finishSound(decoding: Decoding, info: MediaInfo): Promise<Int16Array | null> {
  try {
    const { pcm } = await decoding.finish(info);
    return pcm && nearestSamples(pcm, MOVIEPY_RATE / SAMPLE_RATE);
  } catch (error) {
    if (info.video && error instanceof MerError && error.code === 'undecodable_media') return null;
    throw error;
  }
}

/**
 * What is decoded of a file: where no faces are wanted, as if it had no pictures and were as long as its sound. One
 * without sound is left as it is: its pictures tell how long it is.
 */
function usedOf(info: MediaInfo, faces: boolean): MediaInfo {
  return !faces && info.audio ? { ...info, video: null, duration: info.audio.duration } : info;
}

/** Face frames that a clip of so many seconds keeps, at most. */
function framesOf(
  seconds: number,
  { maxFrames, framesPerSpan }: Pick<ModalitySettings, 'maxFrames' | 'framesPerSpan'>,
): number {
  if (!framesPerSpan) return maxFrames;
  return Math.ceil(maxFrames * Math.max(1, Math.min(LONG_CLIP_SPANS, seconds / LONG_CLIP_SECONDS)));
}

/** Every `step`-th sample, rounded to whole ones. */
function nearestSamples(pcm: Int16Array, step: number): Int16Array {
  const last = pcm.length - 1;
  return Int16Array.from(
    { length: Math.round(pcm.length / step) },
    (_, i) => pcm[Math.min(last, Math.round(i * step))]!,
  );
}

function speechOf(info: MediaInfo, pcm: Int16Array | null, compat: Compat): SpeechResult {
  if (!info.audio) return { features: { status: 'missing', reason: 'the clip has no sound' }, span: null };
  if (!pcm) return { features: { status: 'failed', reason: 'the sound cannot be decoded' }, span: null };
  return speechFeatures(pcm, compat);
}

function secondsOf({ start, end }: Span): Span {
  return { start: start / SAMPLE_RATE, end: end / SAMPLE_RATE };
}

/**
 * What is found in a clip's pictures, if they are wanted and there. A clip whose faces cannot be had may still be heard.
 *
 * @throws MerError what is wrong with the file or the machine
 */
async function facesOf<Pictures>(
  wanted: boolean,
  pictures: Pictures | null,
  find: (pictures: Pictures) => Promise<FaceResult>,
): Promise<FaceResult> {
  if (!wanted) return NOT_WANTED;
  if (!pictures) return NO_PICTURES;
  try {
    return await find(pictures);
  } catch (error) {
    if (error instanceof MerError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return withoutFace({ status: 'failed', reason: `face detection failed: ${why}` });
  }
}

/** @throws MerError truncated_media when less than half of what the file states could be decoded */
function checkLength({ duration, demuxer }: MediaInfo, seconds: number): string[] {
  // An MP3 file states its length only by guess from its first bit rate.
  if (duration === null || demuxer === 'mp3') return [];
  const found = `${seconds.toFixed(1)} of the stated ${duration.toFixed(1)} s could be decoded`;
  if (seconds < duration * TRUNCATED_SHARE) {
    throw new MerError('truncated_media', `The clip is cut short: only ${found}.`, 'Send the whole file.');
  }
  return seconds < duration - SHORT_SECONDS ? [`only ${found}`] : [];
}

/** Each call returns the milliseconds since the one before. */
function createStopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const elapsed = now - last;
    last = now;
    return elapsed;
  };
}
