import { z } from 'zod';
import { YUV_MATRICES } from '../media/picture.js';

export const detectorConfigSchema = z.object({
  /** Folder of the nets. */
  directory: z.string(),
  /** The file whose first bytes are the frame of a request. */
  frames: z.string(),
});

export const detectorRequestSchema = z.object({
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  matrix: z.enum(YUV_MATRICES).nullable(),
  minFace: z.number().positive(),
  enough: z.number().positive(),
});

export const detectorResultSchema = z.object({
  faces: z.array(
    z.object({
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      probability: z.number(),
      points: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
  /** What the nets did for it. */
  runs: z.array(
    z.object({ net: z.enum(['pnet', 'rnet', 'onet']), shape: z.array(z.number()), milliseconds: z.number() }),
  ),
  /** Of the whole detection. */
  milliseconds: z.number(),
});

export type DetectorResult = z.infer<typeof detectorResultSchema>;
