import { z } from 'zod';
import { compatSchema, PREPROCESSING_VERSION, subjectSchema } from '../common/bundle.js';
import { EMOTIONS } from '../common/labels.js';

/** Side in pixels of the stored face crops. */
export const CROP_SIZE = 224;
/** Face frames kept of a clip unless asked otherwise, evenly spaced over its span. */
export const MAX_FRAMES = 32;
/** Mel bands of the stored log-mel spectrogram. */
export const MEL_BANDS = 128;

/** Length of a face's embedding. */
export const EMBEDDING_SIZE = 512;

/** A modality that cannot be used, and why in words that a user can act on. */
export interface Missing {
  status: 'missing' | 'failed';
  reason: string;
}

/** `data` is row-major (MEL_BANDS, frames), values in [0, 1]; 62.5 frames a second. */
export interface SpeechFeatures {
  status: 'used';
  data: Float32Array;
  frames: number;
}

/** `data` is row-major (frames, CROP_SIZE, CROP_SIZE, 3), RGB; `times` are seconds from the clip's start. */
export interface FaceFeatures {
  status: 'used';
  data: Uint8Array;
  frames: number;
  times: number[];
}

/** `data` is row-major (words, dim). */
export interface TextFeatures {
  status: 'used';
  data: Float32Array;
  words: number;
  dim: number;
}

/** Where the vectors of a transcript's words come from. */
export interface Vocabulary {
  /** sha256 of the word-vector table. */
  table: string;
  /** Share of the transcript's words that the table does not have; null for a transcript without words. */
  outOfVocabulary: number | null;
}

/** `data` is row-major (frames, EMBEDDING_SIZE), one unit vector for each kept crop. */
export interface FaceEmbeddings {
  /** sha256 of the network's file. */
  model: string;
  frames: number;
  data: Float32Array;
}

/** All that preprocessing makes of one clip. */
export interface ClipFeatures {
  speech: SpeechFeatures | Missing;
  face: FaceFeatures | Missing;
  text: TextFeatures | Missing;
  /** Seconds of the clip, and the span that survived trimming of silence. */
  duration: number;
  span: { start: number; end: number };
}

export const SPLITS = ['train', 'val', 'test', 'test_merc'] as const;
export type Split = (typeof SPLITS)[number];

const emotionSchema = z.enum(EMOTIONS);

const statusSchema = z.object({ status: z.enum(['used', 'missing', 'failed']), reason: z.string().optional() });

/**
 * features/<split>/clips/<stem>.json: written last, so that it stands for a whole clip. Beside it lie, where the
 * status is `used`, speech/<stem>.npy float32 (128, T), video/<stem>.npy uint8 (F, 224, 224, 3) and
 * text/<stem>.npz with `word_embed` float32 (W, dim); and video_embedding/<stem>.npy float32 (F, 512) where `embedding`
 * is not null and there is a face.
 */
export const clipRecordSchema = z.object({
  version: z.literal(PREPROCESSING_VERSION),
  compat: compatSchema,
  /** Hash of the input files and of the settings: another value means that the clip is done again. */
  inputs: z.string(),
  /** The same from sizes and times of the files: while it stays the same they are not even read. */
  stamp: z.string().optional(),
  stem: z.string(),
  fileId: z.string(),
  /** Face frames kept of each clip, at most: what a bundle trained on these features will keep. */
  maxFrames: z.number().int().positive(),
  /** Whose face is in them, in compat default; a bundle trained on these features will look at the same. */
  subject: subjectSchema.default('largest'),
  /** The corpus folder that the clip came from, such as `qia2020/train` or `merc2020/test1`. */
  source: z.string(),
  labels: z.object({ inte: emotionSchema, face: emotionSchema, speech: emotionSchema }).nullable(),
  /** Who speaks; null when the corpus does not say. */
  speaker: z.string().nullable(),
  /** What a user should know though the clip could be used. */
  warnings: z.array(z.string()).optional(),
  duration: z.number(),
  span: z.object({ start: z.number(), end: z.number() }),
  speech: statusSchema.extend({ frames: z.number().int() }),
  face: statusSchema.extend({
    frames: z.number().int(),
    /** Seconds of each crop. */
    times: z.array(z.number()),
    /** Share of the frames looked through in which the face was detected. */
    share: z.number().min(0).max(1).optional(),
  }),
  text: statusSchema.extend({
    words: z.number().int(),
    dim: z.number().int(),
    /** sha256 of the table that the words of a transcript were looked up in; null for vectors that were given. */
    table: z.string().nullable().default(null),
    /** Share of the transcript's words that the table does not have. */
    outOfVocabulary: z.number().min(0).max(1).nullable().default(null),
  }),
  /** The network that embedded the faces, by the sha256 of its file; null when they were not embedded. */
  embedding: z.object({ model: z.string() }).nullable().default(null),
});

export type ClipRecord = z.infer<typeof clipRecordSchema>;
