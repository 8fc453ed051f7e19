import { z } from 'zod';
import type { Batch } from '../preprocessing/model-inputs.js';
import { LOGITS, type NetworkLogits } from './onnx-network.js';

const floats = z.instanceof(Float32Array);
const lengths = z.instanceof(Int32Array);

export const batchSchema: z.ZodType<Batch> = z.object({
  clips: z.number(),
  speech: z.object({ data: floats, lengths }),
  face: z.object({ data: z.instanceof(Uint8Array), lengths, frames: z.number(), gain: z.number().optional() }),
  text: z.object({ data: floats, lengths, words: z.number() }),
  presence: floats,
});

/** What the exporting process asks of the ONNX Runtime process: all logits of every batch. */
export const requestSchema = z.object({ directory: z.string(), batches: z.array(batchSchema) });

/** Logits of one batch by what computed them: the separate files, and the single one where there is one. */
export type BatchLogits = { parts: NetworkLogits; single?: NetworkLogits | undefined };

/** Its one answer: the logits of each batch, or what went wrong. */
export type ParityReply = { results: BatchLogits[] } | { error: string };

const logitsSchema: z.ZodType<NetworkLogits> = z.partialRecord(z.enum(LOGITS), floats);

export const replySchema: z.ZodType<ParityReply> = z.union([
  z.object({ results: z.array(z.object({ parts: logitsSchema, single: logitsSchema.optional() })) }),
  z.object({ error: z.string() }),
]);
