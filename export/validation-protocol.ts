import { z } from 'zod';
import { MODALITIES } from '../common/labels.js';
import { modelSpecSchema } from '../models/spec.js';
import { clipRecordSchema, SPLITS } from '../preprocessing/features.js';
import type { ClipLogits } from './onnx-network.js';

/** What the process that scores features is told at first. */
export const configSchema = z.object({
  /** Holds the ONNX files. */
  directory: z.string(),
  featuresDir: z.string(),
  split: z.enum(SPLITS),
  spec: modelSpecSchema,
});

export type ScoringConfig = z.infer<typeof configSchema>;

/** Each request: one clip of the features. */
export const requestSchema = clipRecordSchema;

const floats = z.instanceof(Float32Array);

/** Each answer. */
export const answerSchema: z.ZodType<ClipLogits> = z.object({
  heads: z.partialRecord(z.enum(MODALITIES), floats),
  subsets: z.record(z.string(), floats),
});
