import { z } from 'zod';
import { MODALITIES, type Modality } from '../../common/labels.js';
import { type ModelInputs, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import { FACE_VARIANTS, type FaceVariant } from '../../preprocessing/tta.js';

/** A typed array with a count of the real items in it, as it crosses a process boundary. */
const floatsSchema = z.object({
  data: z.custom<Float32Array>((value) => value instanceof Float32Array),
  length: z.number().int().positive(),
});
const bytesSchema = z.object({
  data: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  length: z.number().int().positive(),
});

/** All that may be looked at of one clip; null where a modality is missing. */
export const clipInputsSchema = z.object({
  /** (128, length): the whole log-mel spectrogram. */
  speech: floatsSchema.nullable(),
  /** (length, faceSize, faceSize, 3) RGB. */
  face: bytesSchema.nullable(),
  /** (length, wordDim). */
  text: floatsSchema.nullable(),
});
export type ClipInputs = z.infer<typeof clipInputsSchema>;

/** At most SPEECH_FRAMES frames of the spectrogram. */
export const speechViewSchema = z.object({ start: z.number().int(), frames: z.number().int().positive() });
export type SpeechView = z.infer<typeof speechViewSchema>;

/** Positions of face frames in the clip's inputs; {@link NO_FRAME} for a frame of zeros. */
export const frameListSchema = z.array(z.number().int().min(-1)).min(1);
export const NO_FRAME = -1;

const variantSchema: z.ZodType<FaceVariant> = z.object({
  horizontal: z.boolean(),
  vertical: z.boolean(),
  gain: z.number().positive(),
});
const faceViewSchema = z.object({ frames: frameListSchema, variant: variantSchema });
export type FaceView = z.infer<typeof faceViewSchema>;

/** Which view of each modality is fused: positions in the request's views. */
const combinationSchema = z.partialRecord(z.enum(MODALITIES), z.number().int().nonnegative());
export type Combination = z.infer<typeof combinationSchema>;

/**
 * What the inference process is asked of one clip. Each network runs once on each of its views; the fusion runs on
 * every non-empty subset of each combination of views. Windows of a long clip, variants of test-time augmentation and
 * timelines are combinations.
 */
export const scoringRequestSchema = z.object({
  inputs: clipInputsSchema,
  views: z.object({
    speech: z.array(speechViewSchema),
    face: z.array(faceViewSchema),
    /** One where there are words: they belong to the whole clip. */
    text: z.array(z.literal('all')).max(1),
  }),
  combinations: z.array(combinationSchema).min(1),
});
export type ScoringRequest = z.infer<typeof scoringRequestSchema>;

const viewScoresSchema = z.object({
  /** 7 logits. */
  logits: z.array(z.number()),
  /** Each real step's share of the pooled feature; they sum to 1. */
  attention: z.array(z.number()),
});
export type ViewScores = z.infer<typeof viewScoresSchema>;

/** What the networks say of one clip, in the order of the request. */
export const scoredViewsSchema = z.object({
  views: z.object({
    speech: z.array(viewScoresSchema),
    face: z.array(viewScoresSchema),
    text: z.array(viewScoresSchema),
  }),
  /** Of each combination: 7 integrated logits for every non-empty subset of its modalities, by `subsetName`. */
  combinations: z.array(z.record(z.string(), z.array(z.number()))),
});
export type ScoredViews = z.infer<typeof scoredViewsSchema>;

/** A request for one view of each modality of a clip that is ready as it stands, and for their fusion. */
export function wholeClip({ speech, face, text }: ModelInputs): ScoringRequest {
  const [variant] = FACE_VARIANTS.filter(({ horizontal, vertical, gain }) => !horizontal && !vertical && gain === 1);
  return {
    inputs: { speech: speech && { data: speech.data, length: SPEECH_FRAMES }, face, text },
    views: {
      speech: speech ? [{ start: 0, frames: speech.length }] : [],
      face: face ? [{ frames: Array.from({ length: face.length }, (_, frame) => frame), variant: variant! }] : [],
      text: text ? ['all'] : [],
    },
    combinations: [{ ...(speech && { speech: 0 }), ...(face && { face: 0 }), ...(text && { text: 0 }) }],
  };
}

/** The modalities of a combination, in the order of MODALITIES. */
export function modalitiesOf(combination: Combination): Modality[] {
  return MODALITIES.filter((modality) => combination[modality] !== undefined);
}
