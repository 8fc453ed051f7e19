import { z } from 'zod';
import { compatSchema, subjectSchema } from '../../common/bundle.js';
import { MODALITIES } from '../../common/labels.js';
import { CLIP_STAGES } from '../../preprocessing/modalities.js';
import { deviceChoiceSchema, deviceSchema } from './devices.js';
import { scoredViewsSchema } from './scoring.js';
import { plannedClipSchema } from './windows.js';

/** The set-up of a preprocessing process. */
export const preprocessingConfigSchema = z.object({
  /** Folder of pnet.onnx, rnet.onnx and onet.onnx. */
  detectorDir: z.string(),
  compat: compatSchema,
  maxFrames: z.number().int().positive(),
  subject: subjectSchema,
  inputs: z.object({
    compat: compatSchema,
    faceSize: z.number().int().positive(),
    wordDim: z.number().int().positive(),
    maxWords: z.number().int().positive(),
  }),
  /** What the bundle has networks for. */
  modalities: z.array(z.enum(MODALITIES)),
  /** Face frames that a network of compat seed is shown. */
  seedFrames: z.number().int().positive(),
  threads: z.number().int().positive(),
  limits: z.object({
    maxSeconds: z.number().positive(),
    maxPixels: z.number().int().positive(),
    maxStreams: z.number().int().positive(),
    timeoutSeconds: z.number().positive(),
    maxOutputBytes: z.number().positive(),
  }),
  /** The word-vector table for transcripts. */
  wordTable: z.object({ file: z.string(), maxOutOfVocabulary: z.number() }).optional(),
});
export type PreprocessingConfig = z.infer<typeof preprocessingConfigSchema>;

/** The files of one clip, and what is said in it where that is to be looked up in the engine's word table. */
export const clipFilesSchema = z.object({
  clip: z.string(),
  words: z.string().optional(),
  transcript: z.string().optional(),
});
export type ClipFiles = { clip: string; words?: string; transcript?: string };

/** What a preprocessing process is asked. */
export const clipTaskSchema = z.object({
  files: clipFilesSchema,
  timeline: z.object({ window: z.number().positive(), hop: z.number().positive() }).optional(),
});

/** What it tells on the way: the stage that begins. */
export const clipStageSchema = z.enum(CLIP_STAGES);

const missingSchema = z.object({ status: z.enum(['missing', 'failed']), reason: z.string() });

/** A clip ready for the networks. */
export const preparedClipSchema = z.object({
  plan: plannedClipSchema,
  /** Why a modality is null in the inputs. */
  missing: z.object({
    speech: missingSchema.optional(),
    face: missingSchema.optional(),
    text: missingSchema.optional(),
  }),
  /** Seconds. */
  duration: z.number().nonnegative(),
  span: z.object({ start: z.number(), end: z.number() }),
  /** Milliseconds. */
  timings: z.object({ decode: z.number(), audio: z.number(), faces: z.number() }),
  warnings: z.array(z.string()),
});
export type PreparedClip = z.infer<typeof preparedClipSchema>;

/** The set-up of an inference process. */
export const inferenceConfigSchema = z.object({
  bundleDir: z.string(),
  device: deviceChoiceSchema,
  threads: z.number().int().positive(),
  batching: z.object({ maxBatch: z.number().int().positive(), maxBatchDelayMs: z.number().nonnegative() }).partial(),
});
export type InferenceConfig = z.infer<typeof inferenceConfigSchema>;

export const inferenceInfoSchema = z.object({
  device: deviceSchema,
  fallback: z.string().optional(),
  modalities: z.array(z.enum(MODALITIES)),
  /** Whether test-time augmentation can be had. */
  takesGain: z.boolean(),
  maxBatch: z.number().int().positive(),
});
export type InferenceInfo = z.infer<typeof inferenceInfoSchema>;

/** What it tells of each batch. */
export const scoredBatchSchema = z.object({
  clips: z.number().int(),
  /** Views that each network ran on. */
  views: z.object({ speech: z.number().int(), face: z.number().int(), text: z.number().int() }),
  seconds: z.number(),
});
export type ScoredBatch = z.infer<typeof scoredBatchSchema>;

/** The scores of a clip, and the milliseconds that its batch ran. */
export const scoredClipSchema = z.object({ scored: scoredViewsSchema, milliseconds: z.number() });
export type ScoredClip = z.infer<typeof scoredClipSchema>;
