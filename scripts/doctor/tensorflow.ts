import { z } from 'zod';
import { presentTensorflowBuild } from '../setup/tensorflow.js';
import { absent, broken, type Part, type Subject, working } from './part.js';
import { runProbe } from './probe.js';

const probeSchema = z.union([
  z.object({ ok: z.literal(true), version: z.string(), gpu: z.boolean() }),
  z.object({ ok: z.literal(false), reason: z.string() }),
]);
export type TensorflowProbe = z.infer<typeof probeSchema>;

const SUBJECT: Subject = {
  id: 'tensorflow',
  name: 'TensorFlow',
  neededFor: 'training and export',
  install: 'npm run setup -- --for train',
};

/** Whether TensorFlow really loads, and whether it computes on a GPU. */
export async function tensorflowPart(): Promise<Part> {
  const build = await presentTensorflowBuild();
  if (!build) return absent(SUBJECT);
  const outcome = await runProbe(new URL('./probe-tensorflow.js', import.meta.url), [], probeSchema);
  if (!outcome.ok) return broken(SUBJECT, null, outcome.reason);
  if (!outcome.value.ok) return broken(SUBJECT, null, outcome.value.reason);
  const { version, gpu } = outcome.value;
  return working(
    SUBJECT,
    version,
    `${build === 'gpu' ? 'CUDA' : 'CPU'} build, ${gpu ? 'uses the GPU' : 'no GPU seen'}`,
  );
}
