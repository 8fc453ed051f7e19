import { z } from 'zod';
import { precisionSchema } from '../../common/bundle.js';
import { deviceSchema } from '../../serving/engine/devices.js';
import { inferReportSchema } from '../infer-protocol.js';
import { summarySchema } from '../statistics.js';

/** What the process that measures MTCNN is told. */
export const facesRequestSchema = z.object({
  device: deviceSchema,
  clips: z.array(z.string()),
  /** Passes over all pictures, after one that does not count. */
  repeats: z.number().int().positive(),
});
export type FacesRequest = z.infer<typeof facesRequestSchema>;

/** The whole cascade on one picture after the other. */
export const facesSchema = z.object({
  device: deviceSchema,
  picture: z.string(),
  pictures: z.number().int(),
  milliseconds: summarySchema,
  p99: z.number(),
});
export type Faces = z.infer<typeof facesSchema>;

/** Clips from their files to their answers. */
export const endToEndSchema = z.object({
  precision: precisionSchema,
  workers: z.number().int(),
  clips: z.number().int(),
  clipsPerSecond: z.number(),
});
export type EndToEnd = z.infer<typeof endToEndSchema>;

/** A line of `torch_models.py`. */
export const torchSchema = z.object({
  graph: z.string(),
  mode: z.enum(['eager', 'compiled']),
  precision: z.enum(['fp32', 'fp16']),
  batch: z.number().int(),
  p50: z.number(),
  p99: z.number(),
});
export type TorchMeasurement = z.infer<typeof torchSchema>;

export const gpuReportSchema = z.object({
  device: deviceSchema,
  /** Of the GPU by nvidia-smi; null when it ran on the processor. */
  gpu: z.string().nullable(),
  cores: z.number().int(),
  repeats: z.number().int(),
  networks: z.array(z.object({ precision: precisionSchema, report: inferReportSchema })),
  faces: z.array(facesSchema),
  endToEnd: z.array(endToEndSchema),
  torch: z.array(torchSchema),
  /** Why there is nothing of PyTorch, or not all. */
  torchNote: z.string().nullable(),
});
export type GpuReport = z.infer<typeof gpuReportSchema>;
