import { z } from 'zod';
import { compatSchema } from '../common/bundle.js';
import { machineSchema } from './machine.js';
import { summarySchema } from './statistics.js';

/** What a measuring process of ours is started with. */
export const measuringConfigSchema = z.object({
  compat: compatSchema,
  threads: z.number().int().positive(),
});

export const measuringRequestSchema = z.discriminatedUnion('kind', [
  /** One clip from file to features; with `folder` these are also written there, as a corpus run does. */
  z.object({ kind: z.literal('clip'), clip: z.string(), folder: z.string().nullable() }),
  /** Multiply-accumulates a second of one matrix product of `macs` in all, the graph `file`. */
  z.object({ kind: z.literal('matrix'), file: z.string(), macs: z.number(), repeats: z.number().int() }),
  /** The last one: ends the processes that the measuring process has started. */
  z.object({ kind: z.literal('end') }),
]);

export const NETS = ['pnet', 'rnet', 'onet'] as const;
/** Where the time of a clip goes. `detector` is the cascade without its nets: pyramid, crops for the nets, suppression. */
export const STAGES = ['decode', 'audio', ...NETS, 'detector', 'crops', 'rest'] as const;

const stagesSchema = z.record(z.enum(STAGES), z.number());

export const measuredClipSchema = z.object({
  seconds: z.number(),
  /** Seconds of each stage. */
  stages: stagesSchema,
  /** Multiply-accumulates of each net, counted from the shapes that it ran on. */
  macs: z.record(z.enum(NETS), z.number()),
  /** Face crops made. */
  crops: z.number().int(),
  /** Size of the feature files. */
  bytes: z.number(),
});
export type MeasuredClip = z.infer<typeof measuredClipSchema>;

const detectionSchema = z.object({
  melFrame: z.number().int(),
  boxes: z.array(z.array(z.number()).length(4)),
  probabilities: z.array(z.number()),
});

/** What benchmarks/reference/preprocess.py answers. */
export const referenceClipSchema = z.object({
  seconds: z.number(),
  stages: z.object({
    sound: z.number(),
    audio: z.number(),
    pictures: z.number(),
    detection: z.number(),
    crops: z.number(),
  }),
  trim: z.array(z.number()).length(2),
  melFrames: z.number().int(),
  crops: z.number().int(),
  detections: z.array(detectionSchema),
});
export type ReferenceClip = z.infer<typeof referenceClipSchema>;

const sideSchema = z.object({
  /** Seconds a clip. */
  seconds: summarySchema,
  /** Bytes, of a fresh process that has done this one clip; null where the system does not say. */
  peakMemory: z.number().nullable(),
  /** Median seconds of each stage; of the reference only some are known apart. */
  stages: z.record(z.string(), z.number()),
  crops: z.number().int(),
});

const ourSideSchema = sideSchema.extend({
  macs: z.record(z.enum(NETS), z.number()),
  bytes: z.number(),
  /** Seconds that decoding alone and the nets' arithmetic at the machine's matrix rate would take. */
  floor: z.object({ decode: z.number(), nets: z.number() }),
  /** How many times faster than the reference, and the reference's peak memory as a multiple; null when not claimed. */
  faster: z.number().nullable(),
  smaller: z.number().nullable(),
});
export type OurSide = z.infer<typeof ourSideSchema>;

const clipReportSchema = z.object({
  clip: z.string(),
  width: z.number(),
  height: z.number(),
  duration: z.number(),
  default: ourSideSchema,
  seed: ourSideSchema,
  reference: sideSchema,
  /**
   * Seconds a clip of a corpus, with one single-threaded process a core at work. Ours also write the features.
   */
  corpus: z.object({ default: z.number(), seed: z.number(), reference: z.number() }),
});
export type ClipReport = z.infer<typeof clipReportSchema>;

export const preprocessReportSchema = z.object({
  machine: machineSchema,
  threads: z.number().int(),
  repeats: z.number().int(),
  /** Multiply-accumulates a second of a large float32 matrix product with so many threads. */
  matrixRate: z.number(),
  /** Share of the machine that other processes took while it was measured. */
  othersShare: z.number().nullable(),
  /** Why no ratio is claimed; empty when the comparison is fair. */
  unfair: z.array(z.string()),
  clips: z.array(clipReportSchema),
});
export type PreprocessReport = z.infer<typeof preprocessReportSchema>;
