import type { Compat, Subject } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import type { FaceDetector } from './faces/face-detector.js';
import type { ClipFeatures, Missing, TextFeatures, Vocabulary } from './features.js';
import { DEFAULT_LIMITS, interrupted, type MediaLimits } from './media/media-limits.js';
import { type ClipStage, type ClipTimings, defaultModalities, seedModalities } from './modalities.js';
import { transcriptVectors } from './words/transcript.js';
import type { WordTable } from './words/word-table.js';
import { loadWords } from './words/word-vectors.js';

/** The files of one clip, and what is said in it. */
export interface ClipInput {
  /** Path of a video or audio file. Its content decides what it is, never its name. */
  clip: string;
  /** Path of the word vectors: `.npz` with key `word_embed`, or JSON (an array of arrays of numbers). */
  words?: string;
  /** What is said, to be looked up in a word-vector table; not used where `words` are given. */
  transcript?: string;
}

export interface ClipSettings {
  compat: Compat;
  /** Face frames kept, at most. */
  maxFrames: number;
  /** Whether faces are looked for; true when absent. Without, the pictures of a clip with sound are not even decoded. */
  faces?: boolean;
  /** Whose face counts; `largest` when absent. Compat seed keeps everybody's. */
  subject?: Subject;
  /** When given, word vectors of another dimension are refused. */
  wordDim?: number;
  /** Where the words of transcripts are looked up; without it they count as missing. */
  wordTable?: WordTable;
  /** With a larger share of unknown words a transcript counts as missing; MAX_OUT_OF_VOCABULARY when absent. */
  maxOutOfVocabulary?: number;
  /** Bounds on what the media may cost; DEFAULT_LIMITS when absent. */
  limits?: MediaLimits;
  /** Threads of the decoder; 1 when absent. */
  threads?: number;
  /** Whether `maxFrames` counts for each 6.4 s of a long clip (LONG_CLIP_SPANS at most), not for the clip. */
  framesPerSpan?: boolean;
  /** Told when a stage of the work begins. */
  onStage?(stage: ClipStage): void;
  /** Aborted when nobody wants the features any more: the decoder is killed, faces are not looked for further. */
  signal?: AbortSignal;
}

/** The features of one clip, and what is worth telling about their making. */
export interface PreprocessedClip extends ClipFeatures {
  timings: ClipTimings;
  /** Share of the chosen frames in which the subject's face was detected; 0 when the face is missing. */
  faceShare: number;
  /** The table that the words of the transcript were looked up in; null when they were not. */
  vocabulary: Vocabulary | null;
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
export async function preprocessClip(
  input: ClipInput,
  settings: ClipSettings,
  detector: FaceDetector,
): Promise<PreprocessedClip> {
  const { features: text, vocabulary } = await readText(input, settings);
  const { compat, maxFrames, faces = true, subject = 'largest', limits = DEFAULT_LIMITS, threads = 1 } = settings;
  const { framesPerSpan = false, onStage = () => {}, signal } = settings;
  onStage('decode');
  const prepare = compat === 'seed' ? seedModalities : defaultModalities;
  const { face, ...found } = await prepare(
    input.clip,
    { maxFrames, framesPerSpan, faces, subject, limits, threads, onStage, ...(signal && { signal }) },
    signal ? abortable(detector, signal) : detector,
  );

  const reasons = [found.speech, face.features, text].flatMap((modality) =>
    modality.status === 'used' ? [] : [modality.reason],
  );
  if (reasons.length === 3) {
    throw new MerError(
      'nothing_to_score',
      `Nothing in the clip can be used: ${reasons.join('; ')}.`,
      'Send a clip with a visible face or audible speech, or its words.',
    );
  }
  return { ...found, face: face.features, faceShare: face.share, text, vocabulary };
}

async function readText(
  { words, transcript }: ClipInput,
  { wordDim, wordTable, maxOutOfVocabulary }: ClipSettings,
): Promise<{ features: TextFeatures | Missing; vocabulary: Vocabulary | null }> {
  const missing = (reason: string) => ({ features: { status: 'missing' as const, reason }, vocabulary: null });
  if (words !== undefined) return { features: await loadWords(words, wordDim), vocabulary: null };
  if (transcript === undefined) return missing('no word vectors were given');
  if (wordTable === undefined) return missing('there is a transcript, but no word-vector table was given');
  return transcriptVectors(transcript, wordTable, maxOutOfVocabulary);
}

/** The same detector, which refuses to look for anything more once the signal is aborted. */
function abortable(detector: FaceDetector, signal: AbortSignal): FaceDetector {
  const check = (): void => {
    if (signal.aborted) throw interrupted();
  };
  return {
    processes: detector.processes ?? 1,
    dispose: () => detector.dispose(),
    async detect(...request) {
      check();
      return detector.detect(...request);
    },
    async refine(...request) {
      check();
      return detector.refine(...request);
    },
  };
}
