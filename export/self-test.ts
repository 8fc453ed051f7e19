import path from 'node:path';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import type { Precision } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { MODALITIES, type Modality } from '../common/labels.js';
import { readSafetensors, type StateDict, writeSafetensors } from '../common/safetensors.js';
import { nonEmptySubsets } from '../common/subsets.js';
import type { Batch } from '../preprocessing/model-inputs.js';
import { largestError } from './largest-error.js';
import { branchFeeds, openGraph, SINGLE, singleFeeds } from './onnx-network.js';

export const SELF_TEST_FILE = 'self-test.safetensors';

/** Processors round differently; int8 on those without instructions for it also saturates differently. */
const TOLERANCE: Record<Precision, number> = { fp32: 1e-4, fp16: 1e-2, int8: 1e-1 };

/** Where the arrays of each graph's inputs and outputs are among the tensors, by graph and name. */
const testsSchema = z.record(
  z.string(),
  z.object({ inputs: z.record(z.string(), z.string()), outputs: z.record(z.string(), z.string()) }),
);
type Tests = z.infer<typeof testsSchema>;

/**
 * Runs every graph of a bundle and stores inputs and outputs in {@link SELF_TEST_FILE}: the branches over a clip, the
 * fusion over every subset of its modalities.
 *
 * @param batch one clip with all modalities that the bundle has a branch for
 */
export async function recordSelfTest(directory: string, batch: Batch, precision: Precision): Promise<void> {
  const tensors: StateDict = new Map();
  const tests: Tests = {};
  const run = async (graph: string, session: InferenceSession, feeds: Record<string, Tensor>) => {
    const outputs = await session.run(feeds);
    const stored = (values: Record<string, Tensor>) =>
      Object.fromEntries(Object.entries(values).map(([name, tensor]) => [name, store(tensors, graph, name, tensor)]));
    tests[graph] = { inputs: stored(feeds), outputs: stored(outputs) };
    await session.release();
    return outputs;
  };
  const features: Partial<Record<Modality, Float32Array>> = {};
  for (const modality of MODALITIES) {
    const session = await openGraph(directory, modality);
    if (session === undefined) continue;
    const { feature } = await run(modality, session, branchFeeds(batch, modality));
    features[modality] = feature?.data as Float32Array;
  }
  const fusion = await openGraph(directory, 'multimodal');
  if (fusion !== undefined) await run('multimodal', fusion, subsetFeeds(fusion, features));
  const single = await openGraph(directory, SINGLE);
  if (single !== undefined) await run(SINGLE, single, singleFeeds(single, batch));
  const metadata = { tests: JSON.stringify(tests), tolerance: String(TOLERANCE[precision]) };
  await writeSafetensors(path.join(directory, SELF_TEST_FILE), tensors, metadata);
}

/** A row for every subset of the modalities that there are features of. */
function subsetFeeds(fusion: InferenceSession, features: Partial<Record<Modality, Float32Array>>) {
  const subsets = nonEmptySubsets(MODALITIES.filter((modality) => features[modality] !== undefined));
  const presence = subsets.flatMap((subset) => MODALITIES.map((modality) => Number(subset.includes(modality))));
  const feeds: Record<string, Tensor> = {
    presence: new Tensor('float32', Float32Array.from(presence), [subsets.length, MODALITIES.length]),
  };
  for (const { name, ...input } of fusion.inputMetadata) {
    if (name === 'presence' || !input.isTensor) continue;
    const width = Number(input.shape[1]);
    const feature = features[name as Modality];
    const data = new Float32Array(subsets.length * width);
    for (const [row, subset] of subsets.entries()) {
      if (feature && subset.includes(name as Modality)) data.set(feature, row * width);
    }
    feeds[name] = new Tensor('float32', data, [subsets.length, width]);
  }
  return feeds;
}

/** Stores a tensor as float32, which holds bytes and counts exactly; an array that is stored already only once. */
function store(tensors: StateDict, graph: string, name: string, { data, dims }: Tensor): string {
  const floats = Float32Array.from(data as ArrayLike<number>);
  for (const [key, { data: other }] of tensors) {
    const same = other.length === floats.length && floats.every((value, i) => Object.is(value, other[i]));
    if (same && other.length > 1) return key;
  }
  const key = `${graph}/${name}`;
  tensors.set(key, { dtype: 'F32', shape: [...dims], data: floats });
  return key;
}

/** What one graph said to its stored inputs. */
export interface SelfTest {
  graph: string;
  /** Largest |difference| / max(1, |value|) to the stored outputs; infinite where one is not a number or lacks. */
  maxError: number;
  tolerance: number;
}

/**
 * Repeats the self-test of a bundle on the CPU.
 *
 * @throws MerError not_found or bad_file when the file of the test cannot be read; what ONNX Runtime throws for a graph
 */
export async function runSelfTest(directory: string): Promise<SelfTest[]> {
  const file = path.join(directory, SELF_TEST_FILE);
  const { tensors, metadata } = await readSafetensors(file);
  const tests = testsSchema.safeParse(parseJson(metadata.tests));
  const tolerance = Number(metadata.tolerance);
  if (!tests.success || !(tolerance > 0)) {
    throw new MerError(
      'bad_file',
      `${file} is no self-test of a bundle.`,
      'Copy the bundle again, or export it again.',
    );
  }
  const results: SelfTest[] = [];
  for (const [graph, { inputs, outputs }] of Object.entries(tests.data)) {
    const session = await openGraph(directory, graph);
    if (session === undefined) throw new MerError('bad_file', `${graph}.onnx is missing.`, 'Copy the bundle again.');
    const found = await session.run(storedFeeds(session, inputs, tensors));
    await session.release();
    const errors = Object.entries(outputs).map(([name, key]) =>
      largestError(tensors.get(key)?.data, found[name]?.data),
    );
    results.push({ graph, maxError: Math.max(...errors), tolerance });
  }
  return results;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

function storedFeeds(session: InferenceSession, inputs: Record<string, string>, tensors: StateDict) {
  const feeds: Record<string, Tensor> = {};
  for (const { name, ...input } of session.inputMetadata) {
    const stored = tensors.get(inputs[name] ?? '');
    if (stored?.dtype !== 'F32' || !input.isTensor) throw new TypeError(`The self-test lacks the input ${name}.`);
    const { data, shape } = stored;
    if (input.type === 'uint8') feeds[name] = new Tensor('uint8', Uint8Array.from(data), shape);
    else if (input.type === 'int32') feeds[name] = new Tensor('int32', Int32Array.from(data), shape);
    else feeds[name] = new Tensor('float32', data, shape);
  }
  return feeds;
}
