import { z } from 'zod';
import type { ErrorCode } from '../../common/errors.js';
import { EMOTIONS } from '../../common/labels.js';
import { SPLITS } from '../features.js';

const emotionSchema = z.enum(EMOTIONS);

/** One clip of a corpus, whatever its format: where its files lie and what is known of it. */
export const sourceClipSchema = z.object({
  split: z.enum(SPLITS),
  /** The part of the corpus that it comes from, such as `qia2020/train` or `merc2020/test1`. */
  source: z.string(),
  /** Name of the clip's feature files; unique within its split. */
  stem: z.string(),
  fileId: z.string(),
  clip: z.string(),
  /** File of word vectors. */
  words: z.string().optional(),
  /** What is said, in words. */
  transcript: z.string().optional(),
  /** Null for clips without labels, such as those of a challenge's test set. */
  labels: z.object({ inte: emotionSchema, face: emotionSchema, speech: emotionSchema }).nullable(),
  /** Who speaks; null when the corpus does not say. */
  speaker: z.string().nullable(),
});

export type SourceClip = z.infer<typeof sourceClipSchema>;

/** A clip that gave no features, and why. */
export interface ClipFailure {
  clip: string;
  code: ErrorCode;
  message: string;
  remedy: string;
}
