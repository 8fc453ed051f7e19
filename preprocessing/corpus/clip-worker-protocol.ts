import { z } from 'zod';
import { compatSchema, subjectSchema } from '../../common/bundle.js';
import { clipRecordSchema } from '../features.js';

/** How clips are preprocessed, and where everything is that this takes. */
export const workerSettingsSchema = z.object({
  featuresDir: z.string(),
  /** Folder of the MTCNN nets. */
  netsDir: z.string(),
  compat: compatSchema,
  maxFrames: z.number().int().positive(),
  subject: subjectSchema,
  /** The word-vector table for transcripts; without it they are not used. */
  wordTable: z
    .object({
      file: z.string(),
      sha256: z.string(),
      /** With a larger share of unknown words a transcript counts as missing. */
      maxOutOfVocabulary: z.number().min(0).max(1),
    })
    .optional(),
  /** The network that embeds the kept face crops; without it they are not embedded. */
  faceEmbedding: z.object({ net: z.string(), model: z.string() }).optional(),
});

export type WorkerSettings = z.infer<typeof workerSettingsSchema>;

/** What a worker answers to a clip; `reused` when its features were whole already. */
export const workerResultSchema = z.object({ record: clipRecordSchema, reused: z.boolean() });

export type WorkerResult = z.infer<typeof workerResultSchema>;
