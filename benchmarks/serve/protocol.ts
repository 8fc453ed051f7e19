import { z } from 'zod';
import { summarySchema } from '../statistics.js';

/** Parts of `mer bench serve`. */
export const PARTS = ['reference', 'clients', 'engine', 'overload', 'scaling'] as const;
export type Part = (typeof PARTS)[number];

/** Where the time of one answered clip goes. `http`: sending it and the answer; `rest`: between the processes. */
export const STAGES = ['http', 'queued', 'decode', 'audio', 'faces', 'inference', 'rest'] as const;

const stagesSchema = z.record(z.enum(STAGES), z.number());

/** One clip at a time, seconds from clip to answer. */
const answeredClipSchema = z.object({
  clip: z.string(),
  width: z.number(),
  height: z.number(),
  /** Of the clip, in seconds. */
  duration: z.number(),
  ours: summarySchema,
  /** Median seconds of ours. */
  stages: stagesSchema,
  /** Absent where it was not measured. */
  reference: summarySchema.optional(),
  /** Median seconds of the reference's preprocessing and of its networks. */
  referenceStages: z.object({ preprocessing: z.number(), networks: z.number() }).optional(),
});
export type AnsweredClip = z.infer<typeof answeredClipSchema>;

const loadSchema = z.object({
  clients: z.number().int(),
  answered: z.number().int(),
  clipsPerSecond: z.number(),
  /** Seconds from request to answer. */
  p50: z.number(),
  p99: z.number(),
  /** Seconds by which the server's event loop was late meanwhile. */
  eventLoopP99: z.number(),
});
export type Load = z.infer<typeof loadSchema>;

const overloadSchema = z.object({
  seconds: z.number(),
  /** Best throughput without overload, and requests a second under it. */
  peak: z.number(),
  rate: z.number(),
  /** Requests by status; `none` had no answer. */
  statuses: z.record(z.string(), z.number().int()),
  /** Requests that the client could not begin: too many were open. */
  skipped: z.number().int(),
  /** Clips answered a second while the load lasted. */
  goodput: z.number(),
  /** Seconds. */
  answers: z.object({ p50: z.number(), p99: z.number() }),
  rejects: z.object({ p50: z.number(), p99: z.number() }),
  live: z.object({ calls: z.number().int(), p50: z.number(), p99: z.number() }),
});
export type Overload = z.infer<typeof overloadSchema>;

export const serveDetailsSchema = z.object({
  model: z.object({ name: z.string(), version: z.string() }),
  threads: z.number().int(),
  repeats: z.number().int(),
  /** Why no ratio to the reference is claimed; empty when the comparison is fair. */
  unfair: z.array(z.string()),
  answers: z.array(answeredClipSchema),
  load: z.array(loadSchema),
  /** Clips a second, by so many clients at once. */
  engine: z.object({ clients: z.number().int(), server: summarySchema, bare: summarySchema }).optional(),
  overload: overloadSchema.optional(),
  /** Made clips of several lengths and sizes, one at a time. */
  lengths: z.array(answeredClipSchema),
  sizes: z.array(answeredClipSchema),
});
export type ServeDetails = z.infer<typeof serveDetailsSchema>;

/** What a process with a bare engine is started with, and asked to do. */
export const engineConfigSchema = z.object({ bundleDir: z.string(), threads: z.number().int().positive() });
export const engineRequestSchema = z.object({
  clip: z.string(),
  words: z.string(),
  clients: z.number().int().positive(),
  seconds: z.number().positive(),
});
