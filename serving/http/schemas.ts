import { z } from 'zod';
import { ERROR_CODES } from '../../common/errors.js';
import { EMOTIONS, MODALITIES } from '../../common/labels.js';

/** The body of every answer that is an error. */
export const errorBodySchema = z.object({
  error: z.object({ code: z.enum(ERROR_CODES), message: z.string(), remedy: z.string() }),
});

export const liveSchema = z.object({ status: z.literal('live') });

export const readySchema = z.object({
  status: z.literal('ready'),
  model: z.object({ name: z.string(), version: z.string(), device: z.string() }),
  /** Why the networks run on the processor where a GPU was looked for. */
  fallback: z.string().optional(),
});

/** As the Open Inference Protocol has them. */
export const inferenceLiveSchema = z.object({ live: z.literal(true) });
export const inferenceReadySchema = z.object({ ready: z.literal(true) });

export const modelSchema = z.object({
  name: z.string(),
  version: z.string(),
  created: z.string(),
  device: z.string(),
  fallback: z.string().optional(),
  /** In the order of the networks' outputs. */
  emotions: z.array(z.enum(EMOTIONS)),
  modalities: z.array(z.enum(MODALITIES)),
  /** Whether the field `transcript` is understood; else only word vectors are. */
  transcripts: z.boolean(),
  /** Numbers in the vector of one word, and the most words that are used. */
  words: z.object({ dim: z.number().int(), max: z.number().int() }),
  /** The largest file that is taken, and the longest clip. */
  limits: z.object({ bytes: z.number(), seconds: z.number() }),
});
export type Model = z.infer<typeof modelSchema>;

export const modelsSchema = z.object({ models: z.array(modelSchema) });
