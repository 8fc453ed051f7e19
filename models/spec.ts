import { z } from 'zod';
import { compatSchema } from '../common/bundle.js';

export const MODES = ['speech', 'face', 'text', 'multimodal'] as const;
export const modeSchema = z.enum(MODES);
export type Mode = z.infer<typeof modeSchema>;

export const COEFFICIENTS = ['0', '1', '2', '3', '4', '5', '6', '7', 'tiny'] as const;

/** Everything that determines a network's graph and parameter shapes; travels in every checkpoint. */
export const modelSpecSchema = z.strictObject({
  mode: modeSchema,
  compat: compatSchema,
  /** EfficientNet-b{coefficient}, or `tiny` for tests and the demo. */
  speechCoefficient: z.enum(COEFFICIENTS),
  faceCoefficient: z.enum(COEFFICIENTS),
  /** Side of the square face input in pixels. */
  faceSize: z.union([z.literal(224), z.literal(112), z.literal(56)]),
  textLayers: z.number().int().min(1).max(48),
  textHeads: z.number().int().min(1).max(64),
  wordDim: z.number().int().min(1).max(4096),
  maxWords: z.number().int().min(1).max(1024),
  /** Frame attention over each frame alone, or in relation to their mean as well (arXiv 1907.00193). */
  fan: z.enum(['self', 'relation']),
  fusion: z.enum(['gated', 'concat']),
});

export type ModelSpec = z.infer<typeof modelSpecSchema>;
export type Coefficient = ModelSpec['speechCoefficient'];
