import { z } from 'zod';
import { compatSchema, subjectSchema } from '../../common/bundle.js';
import { MODALITIES } from '../../common/labels.js';
import type { ModelInputs } from '../../preprocessing/model-inputs.js';
import { deviceChoiceSchema, deviceSchema } from './devices.js';

/** A typed array with a count of the real items in it, as it crosses a process boundary. */
const floatsSchema = z.object({
  data: z.custom<Float32Array>((value) => value instanceof Float32Array),
  length: z.number().int().positive(),
});
const bytesSchema = z.object({
  data: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  length: z.number().int().positive(),
});

export const modelInputsSchema: z.ZodType<ModelInputs> = z.object({
  speech: floatsSchema.nullable(),
  face: bytesSchema.nullable(),
  text: floatsSchema.nullable(),
});

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
  /** Face frames that a network of compat seed is shown. */
  seedFrames: z.number().int().positive(),
  threads: z.number().int().positive(),
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

const missingSchema = z.object({ status: z.enum(['missing', 'failed']), reason: z.string() });

/** A clip ready for the networks. */
export const preparedClipSchema = z.object({
  inputs: modelInputsSchema,
  /** Why a modality is null in `inputs`. */
  missing: z.object({
    speech: missingSchema.optional(),
    face: missingSchema.optional(),
    text: missingSchema.optional(),
  }),
  /** Seconds. */
  duration: z.number().nonnegative(),
  span: z.object({ start: z.number(), end: z.number() }),
  /** Frames of the whole spectrogram, of which at most 400 are in `inputs`; 0 without sound. */
  speechFrames: z.number().int().nonnegative(),
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
});
export type InferenceConfig = z.infer<typeof inferenceConfigSchema>;

export const inferenceInfoSchema = z.object({
  device: deviceSchema,
  fallback: z.string().optional(),
  modalities: z.array(z.enum(MODALITIES)),
});
export type InferenceInfo = z.infer<typeof inferenceInfoSchema>;

const branchScoresSchema = z.object({ logits: z.array(z.number()), attention: z.array(z.number()) });

/** `ClipScores` of the network, and the milliseconds that it ran. */
export const scoredClipSchema = z.object({
  scores: z.object({
    branches: z.object({
      speech: branchScoresSchema.optional(),
      face: branchScoresSchema.optional(),
      text: branchScoresSchema.optional(),
    }),
    fused: z.record(z.string(), z.array(z.number())),
  }),
  milliseconds: z.number(),
});
export type ScoredClip = z.infer<typeof scoredClipSchema>;
