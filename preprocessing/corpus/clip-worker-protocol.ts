import { z } from 'zod';
import { compatSchema } from '../../common/bundle.js';
import { clipRecordSchema } from '../features.js';
import { sourceClipSchema } from './source-clip.js';

/** What a worker is started with, as JSON in its first argument. */
export const workerSettingsSchema = z.object({
  featuresDir: z.string(),
  /** Folder of the MTCNN nets. */
  netsDir: z.string(),
  compat: compatSchema,
  maxFrames: z.number().int().positive(),
  /** The word-vector table for transcripts; without it they are not used. */
  wordTable: z
    .object({
      file: z.string(),
      /** With a larger share of unknown words a transcript counts as missing. */
      maxOutOfVocabulary: z.number().min(0).max(1),
    })
    .optional(),
  /** The network that embeds the kept face crops; without it they are not embedded. */
  faceEmbedding: z.object({ net: z.string(), model: z.string() }).optional(),
});

export type WorkerSettings = z.infer<typeof workerSettingsSchema>;

/** Parent to worker: one clip to do; the worker answers each with one reply. */
export const workerTaskSchema = sourceClipSchema;

const errorSchema = z.object({ code: z.string(), message: z.string(), remedy: z.string() });

/** Worker to parent. `fatal` is sent instead of the first reply when the worker cannot work at all. */
export const workerReplySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done'), record: clipRecordSchema, reused: z.boolean(), warnings: z.array(z.string()) }),
  z.object({ kind: z.literal('failed'), error: errorSchema }),
  z.object({ kind: z.literal('fatal'), error: errorSchema }),
]);

export type WorkerReply = z.infer<typeof workerReplySchema>;
