import { z } from 'zod';
import { summarySchema } from './statistics.js';

export const EXPORT_CASES = ['speech', 'face', 'text', 'multimodal'] as const;
export type ExportCase = (typeof EXPORT_CASES)[number];

/** How often both files are opened anew; each opening has its share of the repeats. */
export const OPENINGS = 5;

/** What the timing process is asked: both files of one network, at one batch size. */
export const timingRequestSchema = z.object({
  name: z.enum(EXPORT_CASES),
  ours: z.string(),
  torch: z.string(),
  batch: z.number().int().positive(),
  threads: z.number().int().positive(),
  repeats: z.number().int().positive(),
});
export type TimingRequest = z.infer<typeof timingRequestSchema>;

export const timingSchema = z.object({
  batch: z.number().int(),
  /** Seconds of a run. */
  ours: summarySchema,
  torch: summarySchema,
  /** Median over the turns of ours / torch: what slows the machine for a while slows both sides of a turn. */
  ratio: z.number(),
  /** Largest |difference| of any logit. */
  difference: z.number(),
});
export type Timing = z.infer<typeof timingSchema>;

export interface ExportReport {
  threads: number;
  repeats: number;
  cases: {
    name: ExportCase;
    network: string;
    nodes: { ours: number; torch: number };
    bytes: { ours: number; torch: number };
    timings: Timing[];
  }[];
}
