import { z } from 'zod';
import { type Inventory, inventorySchema } from '../common/bundle.js';
import type { ModelSpec } from '../models/spec.js';
import { SPEECH_FRAMES } from '../preprocessing/model-inputs.js';
import { runPython } from './run-python.js';

/** What is counted in a float32 graph only; a variant of it computes the same. */
const counts = { parameters: true, macs: true } as const;
const graphSchema = inventorySchema.shape.graphs.valueType;

/**
 * What the graphs of a bundle consist of, and how much a clip of full size costs.
 *
 * @param fp32 folder of the float32 ONNX files
 * @param directory folder of the files of the bundle, the same one where they are float32
 * @throws MerError those of {@link runPython}
 */
export async function takeInventory(
  fp32: string,
  directory: string,
  spec: ModelSpec,
  maxFrames: number,
): Promise<Inventory> {
  const sizes = { batch: 1, time: SPEECH_FRAMES, frames: maxFrames, words: spec.maxWords };
  const output = await runPython('describe_models.py', [fp32, JSON.stringify(sizes)]);
  const graphs = z.record(z.string(), graphSchema).parse(JSON.parse(output));
  if (fp32 === directory) return { sizes, graphs };
  const own = z
    .record(z.string(), graphSchema.omit(counts))
    .parse(JSON.parse(await runPython('describe_models.py', [directory])));
  for (const [name, { parameters, macs }] of Object.entries(graphs)) graphs[name] = { ...own[name]!, parameters, macs };
  return { sizes, graphs };
}
