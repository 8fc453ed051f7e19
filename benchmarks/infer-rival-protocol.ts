import { z } from 'zod';
import { summarySchema } from './statistics.js';

/** One forward pass of a network of the reference. */
export const networkCaseSchema = z.object({
  /** `multimodal`: the three branches and their fusion. */
  network: z.enum(['speech', 'face', 'text', 'multimodal']),
  clips: z.number().int().positive(),
  /** Face frames and words a clip. */
  frames: z.number().int().positive(),
  words: z.number().int().positive(),
});
export type NetworkCase = z.infer<typeof networkCaseSchema>;

export const networkConfigSchema = z.object({ folder: z.string(), threads: z.number().int().positive() });
export const passSchema = z.object({ seconds: z.number() });

/** Seconds of both sides. */
export const measuredCaseSchema = networkCaseSchema.extend({ ours: summarySchema, pytorch: summarySchema });
export type MeasuredCase = z.infer<typeof measuredCaseSchema>;

export const rivalReportSchema = z.object({
  threads: z.number().int(),
  repeats: z.number().int(),
  cases: z.array(measuredCaseSchema),
});
export type RivalReport = z.infer<typeof rivalReportSchema>;
