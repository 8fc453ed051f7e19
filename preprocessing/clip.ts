import type { Compat } from '../common/bundle.js';
import type { FaceDetector } from './faces/face-detector.js';
import type { ClipFeatures } from './features.js';
import type { MediaLimits } from './media/media-limits.js';

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
  /** Bounds on what the media may cost; those of `DEFAULT_LIMITS` when absent. */
  limits?: MediaLimits;
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
  /** What a user should know though the clip could be used, such as a file that ends early. */
  warnings: string[];
}

/**
 * The one way from media file to features, for corpora and for serving alike. A modality that is not there or fails
 * does not fail the clip.
 *
 * @throws MerError empty_file, unsupported_media, undecodable_media, truncated_media, too_large or timeout when the
 *   media is refused; bad_words when the words are; nothing_to_score when no modality can be used
 */
export declare function preprocessClip(
  input: ClipInput,
  settings: ClipSettings,
  detector: FaceDetector,
): Promise<PreprocessedClip>;
