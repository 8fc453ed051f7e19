import { z } from 'zod';

/** What a client may ask of one answer. */
export const predictSettingsSchema = z.object({
  /** Test-time augmentation of the face. */
  tta: z.enum(['none', 'default', 'seed']).optional(),
  /** Windows that get answers of their own, in seconds. */
  timeline: z.object({ window: z.number(), hop: z.number() }).optional(),
});
export type PredictSettings = z.infer<typeof predictSettingsSchema>;
