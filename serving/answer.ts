import { z } from 'zod';
import { EMOTIONS } from '../common/labels.js';

const emotionSchema = z.enum(EMOTIONS);
/** The probability of each emotion; they sum to 1. */
const scoresSchema = z.record(emotionSchema, z.number().min(0).max(1));

/** An emotion, and the scores that it is the highest of. */
const verdictSchema = z.object({ emotion: emotionSchema, scores: scoresSchema });

const modalityAnswerSchema = z.discriminatedUnion('status', [
  verdictSchema.extend({ status: z.literal('used') }),
  z.object({ status: z.enum(['missing', 'failed']), reason: z.string() }),
]);

const verdictsSchema = z.object({
  face: verdictSchema.optional(),
  speech: verdictSchema.optional(),
  text: verdictSchema.optional(),
});

/** One window of a clip: seconds from the clip's start, the integrated emotion, and what each modality in it says. */
const timelineEntrySchema = verdictSchema.extend({
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  modalities: verdictsSchema,
});

export const TTA_MODES = ['none', 'default', 'seed'] as const;
/** Test-time augmentation of the face frames; `seed` is the reference's. */
export type TtaMode = (typeof TTA_MODES)[number];

/** What the engine says of one clip: the body of `POST /v1/predict`, and what `mer predict --json` prints. */
export const answerSchema = z.object({
  /** The integrated emotion: of face, voice and words together. */
  emotion: emotionSchema,
  scores: scoresSchema,
  /** The probability of `emotion`. */
  confidence: z.number().min(0).max(1),
  /** Whether the scores were calibrated on validation clips; else they are the softmax of the network's outputs. */
  calibrated: z.boolean(),
  modalities: z.object({ face: modalityAnswerSchema, speech: modalityAnswerSchema, text: modalityAnswerSchema }),
  /** Whether the modalities that were used name different emotions. */
  disagree: z.boolean(),
  /** The integrated answer without each modality that was used; empty when only one was. */
  without: verdictsSchema,
  /** The face frames that attention weighed most, in order of time: seconds, and their shares of all attention. */
  keyFrames: z.array(z.object({ time: z.number().nonnegative(), share: z.number().min(0).max(1) })).optional(),
  /** Where windows were asked for: the answers to them, in order of time. */
  timeline: z.array(timelineEntrySchema).optional(),
  tta: z.enum(TTA_MODES),
  /** `device` is `cpu`, or `cuda:K` for GPU number K. */
  model: z.object({ name: z.string(), version: z.string(), device: z.string() }),
  /** Length of the clip, and how much of it entered the networks, in seconds. */
  seconds: z.object({ clip: z.number().nonnegative(), used: z.number().nonnegative() }),
  /**
   * Seconds by stage. `queued`: waiting for a process; `total`: from the engine's taking the clip to its answer,
   * waiting included.
   */
  timings: z.object({
    queued: z.number().nonnegative(),
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
export type Verdict = z.infer<typeof verdictSchema>;
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;
export type Scores = z.infer<typeof scoresSchema>;
