import { z } from 'zod';
import { TTA_MODES } from './answer.js';

/** What a client may ask of one answer. */
export const predictSettingsSchema = z.object({
  /** Test-time augmentation of the face. */
  tta: z.exactOptional(z.enum(TTA_MODES)),
  /** Windows that get answers of their own, in seconds. */
  timeline: z.exactOptional(z.object({ window: z.number(), hop: z.number() })),
});
export type PredictSettings = z.infer<typeof predictSettingsSchema>;
