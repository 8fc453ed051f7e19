import { z } from 'zod';
import { TTA_MODES } from '../answer.js';
import type { PredictSettings } from '../settings.js';

/** Characters; what is said in an hour stays below it. */
const MAX_TRANSCRIPT = 100_000;

/** Seconds of a window and from one to the next; a window is as much sound as the speech network hears at once. */
export const SECONDS = { window: [0.5, 6.4], hop: [0.1, 600] } as const;

const secondsSchema = ([least, most]: readonly [number, number]) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,4}(\.\d{1,6})?$/, 'It is not a number of seconds')
    .transform(Number)
    .pipe(z.number().min(least, `It is less than ${least} s`).max(most, `It is more than ${most} s`));

/** The text fields of a form with a clip, as they come. */
export const formFieldsSchema = z
  .strictObject({
    words: z.string().optional(),
    transcript: z.string().max(MAX_TRANSCRIPT, `It has more than ${MAX_TRANSCRIPT} characters`).optional(),
    tta: z.enum(TTA_MODES).optional(),
    window: secondsSchema(SECONDS.window).optional(),
    hop: secondsSchema(SECONDS.hop).optional(),
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
