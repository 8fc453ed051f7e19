import { z } from 'zod';
import { EMOTIONS } from '../common/labels.js';
import { DEVICES } from './engine/devices.js';

const emotionSchema = z.enum(EMOTIONS);
/** The probability of each emotion; they sum to 1. */
const scoresSchema = z.record(emotionSchema, z.number().min(0).max(1));

const modalityAnswerSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('used'), emotion: emotionSchema, scores: scoresSchema }),
  z.object({ status: z.enum(['missing', 'failed']), reason: z.string() }),
]);

/** What the engine says of one clip: the body of `POST /v1/predict`, and what `mer predict --json` prints. */
export const answerSchema = z.object({
  /** The integrated emotion: of face, voice and words together. */
  emotion: emotionSchema,
  scores: scoresSchema,
  /** The probability of `emotion`. */
  confidence: z.number().min(0).max(1),
  modalities: z.object({ face: modalityAnswerSchema, speech: modalityAnswerSchema, text: modalityAnswerSchema }),
  model: z.object({ name: z.string(), version: z.string(), device: z.enum(DEVICES) }),
  /** Length of the clip, and how much of it entered the networks, in seconds. */
  seconds: z.object({ clip: z.number().nonnegative(), used: z.number().nonnegative() }),
  /** Seconds of work by stage; `total` is from the engine's taking the clip to its answer, waiting included. */
  timings: z.object({
    decode: z.number().nonnegative(),
    audio: z.number().nonnegative(),
    faces: z.number().nonnegative(),
    inference: z.number().nonnegative(),
    total: z.number().nonnegative(),
  }),
  warnings: z.array(z.string()).optional(),
});

export type Answer = z.infer<typeof answerSchema>;
export type ModalityAnswer = z.infer<typeof modalityAnswerSchema>;
export type Scores = z.infer<typeof scoresSchema>;
