import fs from 'node:fs';
import { z } from 'zod';
import { goldenFile } from './helpers.js';

const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()]);

const clipSchema = z.object({
  clip: z.string(),
  fps: z.number(),
  /** Samples at 16 kHz. */
  trim: z.tuple([z.number(), z.number()]),
  melFrames: z.number(),
  /** Of every fourth mel frame: the frame of the clip, its boxes and their probabilities, the largest first. */
  detections: z.array(z.object({ frame: z.number(), boxes: z.array(boxSchema), probs: z.array(z.number()) })),
  /** Of each crop: the mean of each channel. */
  cropMeans: z.array(z.array(z.number())),
});

/** What the reference makes of the four golden clips. */
export const seedGolden = z
  .object({ clips: z.array(clipSchema) })
  .parse(JSON.parse(fs.readFileSync(goldenFile('seed_faces.json'), 'utf8'))).clips;
