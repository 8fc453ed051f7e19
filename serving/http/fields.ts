import { z } from 'zod';
import { type PredictSettings, predictSettingsSchema } from '../settings.js';

/** Characters; what is said in an hour stays below it. */
const MAX_TRANSCRIPT = 100_000;

const secondsSchema = z
  .string()
  .trim()
  .regex(/^\d{1,4}(\.\d{1,6})?$/, 'It is not a number of seconds')
  .transform(Number)
  .pipe(z.number().min(0.1, 'It is less than 0.1 s').max(600, 'It is more than 600 s'));

/** The text fields of a form with a clip, as they come. */
export const formFieldsSchema = z
  .strictObject({
    words: z.string().optional(),
    transcript: z.string().max(MAX_TRANSCRIPT, `It has more than ${MAX_TRANSCRIPT} characters`).optional(),
    tta: predictSettingsSchema.shape.tta,
    window: secondsSchema.optional(),
    hop: secondsSchema.optional(),
  })
  .refine(({ hop, window }) => hop === undefined || window !== undefined, {
    path: ['hop'],
    message: 'It needs a window',
  });
export type FormFields = z.output<typeof formFieldsSchema>;

/** What the fields ask of the engine. Windows follow each other by half of their length unless `hop` says otherwise. */
export function settingsOf({ tta, window, hop }: FormFields): PredictSettings {
  return {
    ...(tta !== undefined && { tta }),
    ...(window !== undefined && { timeline: { window, hop: hop ?? window / 2 } }),
  };
}
