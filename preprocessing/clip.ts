import type { Compat } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { type SpeechResult, speechFeatures } from './audio/speech-features.js';
import type { FaceDetector } from './faces/face-detector.js';
import { type FaceResult, faceFeatures } from './faces/face-features.js';
import type { ClipFeatures, Missing, TextFeatures } from './features.js';
import { type DecodedMedia, decodeMedia, SAMPLE_RATE } from './media/decode.js';
import { DEFAULT_LIMITS, type MediaLimits } from './media/media-limits.js';
import { type MediaInfo, probeMedia } from './media/probe.js';
import { loadWords } from './words/word-vectors.js';

/** The files of one clip. */
export interface ClipInput {
  /** Path of a video or audio file. Its content decides what it is, never its name. */
  clip: string;
  /** Path of the word vectors: `.npz` with key `word_embed`, or JSON (an array of arrays of numbers). */
  words?: string;
}

export interface ClipSettings {
  compat: Compat;
  /** Face frames kept, at most. */
  maxFrames: number;
  /** When given, word vectors of another dimension are refused. */
  wordDim?: number;
  /** Bounds on what the media may cost; DEFAULT_LIMITS when absent. */
  limits?: MediaLimits;
  /** Threads of the decoder; 1 when absent. */
  threads?: number;
}

/** Milliseconds of each stage of one clip. */
export interface ClipTimings {
  decode: number;
  audio: number;
  faces: number;
}

/** The features of one clip, and what is worth telling about their making. */
export interface PreprocessedClip extends ClipFeatures {
  timings: ClipTimings;
  /** Share of the chosen frames in which the subject's face was detected; 0 when the face is missing. */
  faceShare: number;
  /** What a user should know though the clip could be used, such as a file that ends early. */
  warnings: string[];
}

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

/**
 * The one way from media file to features, for corpora and for serving alike. A modality that is not there or fails
 * does not fail the clip.
 *
 * @throws MerError empty_file, unsupported_media, undecodable_media, truncated_media, too_large or timeout when the
 *   media is refused; bad_words when the words are; nothing_to_score when no modality can be used; bad_argument for
 *   settings that are not supported
 */
export async function preprocessClip(
  input: ClipInput,
  settings: ClipSettings,
  detector: FaceDetector,
): Promise<PreprocessedClip> {
  requireSupported(settings.compat);
  const stopwatch = createStopwatch();
  const text = await readText(input, settings);
  const limits = settings.limits ?? DEFAULT_LIMITS;
  const info = await probeMedia(input.clip, limits);
  const media = await decodeMedia(input.clip, info, {
    framesPerSecond: info.duration ? (settings.maxFrames * CANDIDATES_PER_FRAME) / info.duration : FALLBACK_RATE,
    maxFrames: Math.ceil(settings.maxFrames * CANDIDATES_PER_FRAME) * 2,
    maxFramePixels: MAX_FRAME_PIXELS,
    limits,
    threads: settings.threads ?? 1,
  });
  const warnings = checkLength(info, media);
  const decode = stopwatch();

  const { features: speech, span: samples } = speechOf(info, media, settings.compat);
  const span = samples
    ? { start: samples.start / SAMPLE_RATE, end: samples.end / SAMPLE_RATE }
    : { start: 0, end: media.seconds };
  const audio = stopwatch();

  const { features: face, share: faceShare } = await facesOf(info, media, span, settings.maxFrames, detector);
  const faces = stopwatch();

  const reasons = [speech, face, text].flatMap((modality) => (modality.status === 'used' ? [] : [modality.reason]));
  if (reasons.length === 3) {
    throw new MerError(
      'nothing_to_score',
      `Nothing in the clip can be used: ${reasons.join('; ')}.`,
      'Send a clip with a visible face or audible speech, or its words.',
    );
  }
  const duration = info.duration ?? media.seconds;
  return { speech, face, text, duration, span, timings: { decode, audio, faces }, faceShare, warnings };
}

/** @throws MerError bad_argument for a mode in which clips cannot be preprocessed */
export function requireSupported(compat: Compat): void {
  if (compat === 'default') return;
  throw new MerError('bad_argument', 'Clips cannot be preprocessed with compat seed yet.', 'Use compat default.');
}

async function readText({ words }: ClipInput, { wordDim }: ClipSettings): Promise<TextFeatures | Missing> {
  if (words === undefined) return { status: 'missing', reason: 'no word vectors were given' };
  return loadWords(words, wordDim);
}

function speechOf(info: MediaInfo, { pcm }: DecodedMedia, compat: Compat): SpeechResult {
  if (!info.audio) return { features: { status: 'missing', reason: 'the clip has no sound' }, span: null };
  if (!pcm) return { features: { status: 'failed', reason: 'the sound cannot be decoded' }, span: null };
  return speechFeatures(pcm, compat);
}

async function facesOf(
  info: MediaInfo,
  { frames }: DecodedMedia,
  span: { start: number; end: number },
  maxFrames: number,
  detector: FaceDetector,
): Promise<FaceResult> {
  if (!info.video) return { features: { status: 'missing', reason: 'the clip has no pictures' }, share: 0 };
  if (frames.length === 0) {
    return { features: { status: 'failed', reason: 'the pictures cannot be decoded' }, share: 0 };
  }
  try {
    return await faceFeatures(frames, span, maxFrames, detector);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { features: { status: 'failed', reason: `face detection failed: ${why}` }, share: 0 };
  }
}

/** @throws MerError truncated_media when less than half of what the file states could be decoded */
function checkLength({ duration, demuxer }: MediaInfo, { seconds }: DecodedMedia): string[] {
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
