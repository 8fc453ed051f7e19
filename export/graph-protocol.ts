import { z } from 'zod';
import { precisionSchema } from '../common/bundle.js';
import { batchSchema } from './parity-protocol.js';

/** What the process that runs finished graphs may be asked. */
export const graphRequestSchema = z.discriminatedUnion('kind', [
  /** To store the self-test of a folder's graphs, over one clip. */
  z.object({ kind: z.literal('self-test'), directory: z.string(), batch: batchSchema, precision: precisionSchema }),
  /** To compare a variant with the float32 graphs: logits over `clips`, time over `full`. */
  z.object({
    kind: z.literal('compare'),
    fp32: z.string(),
    variant: z.string(),
    clips: z.array(batchSchema),
    full: batchSchema,
  }),
]);

export type GraphRequest = z.infer<typeof graphRequestSchema>;

export const comparisonSchema = z.object({
  maxError: z.number(),
  seconds: z.object({ fp32: z.number(), variant: z.number(), threads: z.number().int() }),
});

export type Comparison = z.infer<typeof comparisonSchema>;
