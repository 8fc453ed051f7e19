import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Precision, Variant } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { EMOTION_COUNT, type Modality } from '../common/labels.js';
import { argmax } from '../common/metrics.js';
import { Random } from '../common/random.js';
import { WorkerProcess } from '../common/worker-process.js';
import type { ModelSpec } from '../models/spec.js';
import { type Batch, collate, SPEECH_FRAMES } from '../preprocessing/model-inputs.js';
import { comparisonSchema, type GraphRequest } from './graph-protocol.js';
import { largestError } from './largest-error.js';
import { ofModalities, parityCases, randomInputs } from './parity-cases.js';
import { runPython } from './run-python.js';
import type { LogitRows, ValidationLogits } from './validation-logits.js';

/** Share of validation clips that must get the emotion that float32 gives them. */
export const LEAST_AGREEMENT = 0.99;

const SEED = 1;

/** Makes a variant of every ONNX file of `fp32` in `directory`. @throws MerError those of {@link runPython} */
export async function convertPrecision(fp32: string, directory: string, precision: Precision): Promise<void> {
  await runPython('convert_precision.py', [fp32, directory, precision]);
}

/** What is compared: folders of graphs, and what these say of the validation clips, where there are any. */
export interface VariantPair {
  fp32: { directory: string; logits: ValidationLogits | null };
  variant: { directory: string; logits: ValidationLogits | null };
}

/** Measures a variant against the float32 graphs. One clip a run: int8 has one scale for all clips of a batch. */
export async function measureVariant(
  { fp32, variant }: VariantPair,
  spec: ModelSpec,
  modalities: readonly Modality[],
  maxFrames: number,
): Promise<Variant> {
  const clips = parityCases(spec, modalities).flatMap(({ singles }) => singles);
  const full = oneClip(spec, modalities, [SPEECH_FRAMES, maxFrames, spec.maxWords]);
  const request: GraphRequest = {
    ...{ kind: 'compare', fp32: fp32.directory, variant: variant.directory },
    ...{ clips, full },
  };
  const { maxError, seconds } = comparisonSchema.parse(await askGraphs(request));
  const both = fp32.logits && variant.logits;
  return {
    maxError: both ? Math.max(maxError, largestDifference(fp32.logits!, variant.logits!)) : maxError,
    agreement: both && agreement(fp32.logits!, variant.logits!),
    bytes: { fp32: await sizeOf(fp32.directory), variant: await sizeOf(variant.directory) },
    seconds,
  };
}

/** Stores the self-test of a folder's graphs. */
export async function storeSelfTest(
  directory: string,
  spec: ModelSpec,
  modalities: readonly Modality[],
  precision: Precision,
): Promise<void> {
  // Two faces keep the file of inputs under two megabytes.
  await askGraphs({ kind: 'self-test', directory, precision, batch: oneClip(spec, modalities, [250, 2, 7]) });
}

function oneClip(spec: ModelSpec, modalities: readonly Modality[], lengths: readonly [number, number, number]): Batch {
  return collate([ofModalities(randomInputs(spec, lengths, Random.for(SEED, 'graphs')), modalities)], spec);
}

async function askGraphs(request: GraphRequest): Promise<unknown> {
  const module = new URL('./graph-child.js', import.meta.url);
  const { worker } = await WorkerProcess.start({ name: 'graph', module, config: null });
  try {
    return await worker.execute(request);
  } finally {
    await worker.kill();
  }
}

/**
 * Refuses a variant that answers too many clips otherwise than float32 does, or that was not compared on any.
 *
 * @throws MerError parity_failed
 */
export function requireAgreement(precision: Precision, { agreement: found, maxError }: Variant): void {
  if (found !== null && found.share >= LEAST_AGREEMENT) return;
  const error = `its logits differ by up to ${maxError.toExponential(1)}`;
  throw new MerError(
    'parity_failed',
    found === null
      ? `Whether ${precision} gives the emotions of fp32 was not measured, since there are no validation features; ${error}.`
      : `${precision} gives ${(100 * found.share).toFixed(1)} % of ${found.clips} validation clips the emotion of fp32, and ` +
          `${100 * LEAST_AGREEMENT} % are needed; ${error}.`,
    found === null
      ? 'Name them with --features DIR, or take it as it is with --force.'
      : 'Export another precision, or take it as it is with --force.',
  );
}

/** Over the clips, each with all the modalities that it has. */
function agreement(fp32: ValidationLogits, variant: ValidationLogits): Variant['agreement'] {
  const [expected, found] = [servedEmotions(fp32), servedEmotions(variant)];
  if (expected.size === 0) return null;
  const same = [...expected].filter(([clip, emotion]) => found.get(clip) === emotion).length;
  return { clips: expected.size, share: same / expected.size };
}

/** Index of the emotion of each clip, from its largest subset of modalities. */
function servedEmotions({ subsets }: ValidationLogits): Map<number, number> {
  const size = (name: string) => name.split('+').length;
  const emotions = new Map<number, number>();
  for (const name of Object.keys(subsets).sort((a, b) => size(a) - size(b))) {
    const { clips, logits } = subsets[name]!;
    for (const [row, clip] of clips.entries()) {
      emotions.set(clip, argmax(logits.subarray(row * EMOTION_COUNT, (row + 1) * EMOTION_COUNT)));
    }
  }
  return emotions;
}

function largestDifference(fp32: ValidationLogits, variant: ValidationLogits): number {
  const errors = (expected: Partial<Record<string, LogitRows>>, found: Partial<Record<string, LogitRows>>) =>
    Object.entries(expected).map(([name, rows]) => largestError(rows?.logits, found[name]?.logits));
  return Math.max(...errors(fp32.subsets, variant.subsets), ...errors(fp32.heads, variant.heads));
}

async function sizeOf(directory: string): Promise<number> {
  const files = (await fsp.readdir(directory)).filter((name) => name.endsWith('.onnx'));
  const sizes = await Promise.all(files.map(async (name) => (await fsp.stat(path.join(directory, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
