import { z } from 'zod';
import { COEFFICIENTS, modeSchema } from '../models/spec.js';
import { machineSchema } from './machine.js';
import { summarySchema } from './statistics.js';

/** One training step to be measured, of the reference's networks (`--compat seed`). */
export const trainCaseSchema = z.object({
  mode: modeSchema,
  speechCoefficient: z.enum(COEFFICIENTS),
  faceCoefficient: z.enum(COEFFICIENTS),
  clips: z.number().int().positive(),
  /** Face frames and words a clip. */
  frames: z.number().int().positive(),
  words: z.number().int().positive(),
  optim: z.enum(['ranger', 'sgd']),
});
export type TrainCase = z.infer<typeof trainCaseSchema>;

export const trainChildConfigSchema = z.object({ trainCase: trainCaseSchema, amp: z.boolean() });

/** `profile` names the time of every kernel; its step is slower. */
export const trainChildRequestSchema = z.object({ profile: z.boolean() });

export const kernelTimeSchema = z.object({ kernel: z.string(), count: z.number().int(), seconds: z.number() });

export const measuredStepSchema = z.object({
  seconds: z.number(),
  loss: z.number(),
  /** Largest resident memory of the process so far. */
  peakBytes: z.number(),
  /** Kernels of the step by name, slowest first; empty without a profile. */
  kernels: z.array(kernelTimeSchema).default([]),
});
export type MeasuredStep = z.infer<typeof measuredStepSchema>;

const sideSchema = z.object({
  /** Seconds a step. */
  seconds: summarySchema,
  peakBytes: z.number(),
});
export type Side = z.infer<typeof sideSchema>;

export const trainReportSchema = z.object({
  machine: machineSchema,
  device: z.string(),
  threads: z.number().int(),
  repeats: z.number().int(),
  /** Share of all cores that other processes took meanwhile; null where it is not known. */
  others: z.number().nullable(),
  cases: z.array(
    z.object({
      name: z.string(),
      trainCase: trainCaseSchema,
      ours: sideSchema,
      /** Ours with --amp True. */
      amp: sideSchema.nullable(),
      pytorch: sideSchema.nullable(),
      /** Ours / PyTorch, of the medians of seconds. */
      ratio: z.number().nullable(),
      /** Kernels that one step runs, and where its time goes; empty without --profile. */
      kernels: z.array(kernelTimeSchema),
    }),
  ),
});
export type TrainReport = z.infer<typeof trainReportSchema>;
