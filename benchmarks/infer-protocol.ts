import { z } from 'zod';
import { deviceChoiceSchema, deviceSchema } from '../serving/engine/devices.js';
import { summarySchema } from './statistics.js';

/** What the measuring process is told. */
export const inferRequestSchema = z.object({
  bundleDir: z.string(),
  device: deviceChoiceSchema,
  threads: z.number().int().positive(),
  batches: z.array(z.number().int().positive()),
  /** Runs that are measured, after `warmup` that are not. */
  repeats: z.number().int().positive(),
  warmup: z.number().int().nonnegative(),
  /** Words a clip. */
  words: z.number().int().positive(),
});
export type InferRequest = z.infer<typeof inferRequestSchema>;

const measurementSchema = z.object({
  /** `speech`, `face`, `text` and `fusion` are single graphs; `multimodal` is all of them, as one clip is served. */
  graph: z.string(),
  batch: z.number().int(),
  /** Of one run over the whole batch. */
  milliseconds: summarySchema,
  p99: z.number(),
  clipsPerSecond: z.number(),
});

export const inferReportSchema = z.object({
  model: z.object({ name: z.string(), version: z.string() }),
  device: deviceSchema,
  fallback: z.string().optional(),
  threads: z.number().int(),
  /** Sizes of one clip's inputs. */
  clip: z.object({ melFrames: z.number(), faceFrames: z.number(), faceSize: z.number(), words: z.number() }),
  repeats: z.number().int(),
  measurements: z.array(measurementSchema),
});
export type InferReport = z.infer<typeof inferReportSchema>;
export type Measurement = z.infer<typeof measurementSchema>;
