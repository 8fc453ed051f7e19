import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readJson, writeFileAtomic } from '../../common/files.js';
import { EMOTION_COUNT, MODALITIES } from '../../common/labels.js';
import { PROJECT_ROOT } from '../../common/paths.js';
import { readSafetensors, type StateDict } from '../../common/safetensors.js';
import { formatTable } from '../../common/table.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import type { Batch } from '../../preprocessing/model-inputs.js';
import { readCheckpoint, writeCheckpoint } from '../../training/checkpoint.js';
import { modelSpec, trainConfigSchema } from '../../training/config.js';
import { randomState } from '../../training/initial-state.js';
import { TrainingSession } from '../../training/session.js';
import { createPredictor, type Prediction } from '../../training/tensorflow/predictor.js';
import { loadBackbone } from '../../training/weights/backbone.js';
import { exportWeights } from '../../training/weights/export-weights.js';
import { importWeights } from '../../training/weights/import-weights.js';
import { ensureReferenceEnvironment, runReference } from './environment.js';

/**
 * Proves against PyTorch and efficientnet_pytorch that weights travel both ways and mean the same there and here:
 *
 *     npx tsx benchmarks/reference/check-weights.ts            (a few minutes; makes the reference's environment first)
 *     npx tsx benchmarks/reference/check-weights.ts --write    also writes the logits that `npm test` compares with
 *
 * Every line of its table is the largest difference of a logit or feature between PyTorch and TensorFlow, in float32 on
 * the CPU. It ends with code 1 when one is above the tolerance.
 */

/** What remains is the order of float32 sums. Relative to values above 1. */
const TOLERANCE = 2e-5;
const SCRIPT = 'weights_parity.py';
const GOLDEN = path.join(PROJECT_ROOT, 'test', 'golden');
const VARIANTS = path.join(GOLDEN, 'reference-variants.json');
const CLIPS = 2;
const THREADS = 2;
const TRAINING_STEPS = 2;

interface Network {
  mode: ModelSpec['mode'] | 'backbone';
  /** EfficientNet of the speech network, or of the only one that there is. */
  coefficient?: number;
  face?: number;
  layers?: number;
  heads?: number;
  fan?: 'self' | 'relation';
}

/** Random networks that PyTorch saves; `form` says how: zip, legacy, nested in a larger mapping, data-parallel. */
const CASES: readonly { name: string; network: Network; form: string }[] = [
  { name: 'speech-b0', network: { mode: 'speech', coefficient: 0, fan: 'self' }, form: 'zip' },
  { name: 'speech-b0-relation', network: { mode: 'speech', coefficient: 0, fan: 'relation' }, form: 'zip nested' },
  { name: 'speech-b4', network: { mode: 'speech', coefficient: 4, fan: 'self' }, form: 'legacy' },
  { name: 'face-b0', network: { mode: 'face', coefficient: 0, fan: 'self' }, form: 'legacy nested parallel' },
  { name: 'face-b1-relation', network: { mode: 'face', coefficient: 1, fan: 'relation' }, form: 'zip parallel' },
  { name: 'text-12-8', network: { mode: 'text', layers: 12, heads: 8 }, form: 'zip' },
  { name: 'text-3-4', network: { mode: 'text', layers: 3, heads: 4 }, form: 'legacy nested' },
  {
    name: 'multimodal',
    network: { mode: 'multimodal', coefficient: 4, face: 0, layers: 12, heads: 8, fan: 'self' },
    form: 'zip',
  },
  { name: 'efficientnet-b0', network: { mode: 'backbone', coefficient: 0 }, form: 'zip' },
];

const variantsSchema = z.record(z.string(), z.array(z.array(z.number()).length(EMOTION_COUNT)));

type Row = [what: string, way: string, difference: number];

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
  await ensureReferenceEnvironment();
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-weights-'));
  try {
    const rows = [...(await checkVariants(values.write)), ...(await checkBothWays(folder))];
    const cells = rows.map(([what, way, difference]) => [what, way, difference.toExponential(1)]);
    process.stdout.write(`${formatTable(['network', 'way', 'largest difference'], cells)}\n`);
    const failed = rows.filter(([, , difference]) => !(difference <= TOLERANCE));
    process.stdout.write(failed.length === 0 ? `all within ${TOLERANCE}\n` : `${failed.length} above ${TOLERANCE}\n`);
    if (failed.length > 0) process.exitCode = 1;
  } finally {
    await fsp.rm(folder, { recursive: true, force: true });
  }
}

/** The logits of variants that the golden data of the reference lacks. They are made of the formula's weights. */
async function checkVariants(write: boolean): Promise<Row[]> {
  note('the networks of models.py, by the fingerprints of the reference');
  const made = variantsSchema.parse(JSON.parse(await runReference(SCRIPT, ['variants', GOLDEN], THREADS)));
  if (write) await writeFileAtomic(VARIANTS, `${JSON.stringify(made)}\n`);
  const stored = await readJson(VARIANTS, variantsSchema);
  return Object.entries(made).map(([name, logits]) => [
    name,
    'PyTorch = test/golden',
    largest(logits.flat(), stored[name]?.flat() ?? []),
  ]);
}

async function checkBothWays(folder: string): Promise<Row[]> {
  note('random networks in PyTorch');
  await fsp.writeFile(path.join(folder, 'cases.json'), JSON.stringify(CASES));
  await runReference(SCRIPT, ['save', folder], THREADS);
  const inputs = await tensorsOf(folder, 'inputs');
  const expected = await tensorsOf(folder, 'expected');
  const rows: Row[] = [];
  const returned: Returned[] = [];
  for (const { name, network, form } of CASES) {
    if (network.mode === 'backbone') continue;
    note(`${name}: into TensorFlow, two steps of training, and back`);
    const file = path.join(folder, `${name}.safetensors`);
    const options = { file: path.join(folder, `${name}.pth`), out: file, textHeads: network.heads };
    await importWeights(options);
    const { spec, state } = await readCheckpoint(file);
    rows.push([name, `PyTorch (${form}) -> here`, difference(name, await predictions(spec, state, inputs), expected)]);
    returned.push(await trainAndExport(folder, name, network, spec, state, inputs));
  }
  for (const mode of ['speech', 'face'] as const) {
    note(`efficientnet-b0: under a random ${mode} network`);
    returned.push(await startAndExport(folder, mode, inputs));
  }
  note('into PyTorch');
  const manifest = returned.map(({ name, network, backbone }) => ({ name, network, backbone }));
  await fsp.writeFile(path.join(folder, 'returned.json'), JSON.stringify(manifest));
  await runReference(SCRIPT, ['load', folder], THREADS);
  const there = await tensorsOf(folder, 'returned');
  for (const { name, way, here } of returned) rows.push([name, way, difference(name, here, there)]);
  return rows;
}

/** A network whose weights PyTorch is to load strictly, and what it computed here. */
interface Returned {
  name: string;
  network: Network;
  backbone?: string;
  way: string;
  here: Float32Array[];
}

async function trainAndExport(
  folder: string,
  name: string,
  network: Network,
  spec: ModelSpec,
  state: StateDict,
  inputs: StateDict,
): Promise<Returned> {
  const config = trainConfigSchema.parse({ mode: spec.mode, compat: 'seed', optim: 'sgd', ema: 0, clip_norm: 1 });
  const session = await TrainingSession.create(spec, config, state);
  const targets = new Float32Array(CLIPS * EMOTION_COUNT).fill(1 / EMOTION_COUNT);
  const observed = new Float32Array(CLIPS * MODALITIES.length).fill(1);
  const batch = batchOf(inputs);
  for (let step = 0; step < TRAINING_STEPS; step++) {
    const labels = { inte: targets, face: targets, speech: targets };
    const { loss } = session.train({ batch, targets: labels, observed, stems: [] }, 0.01);
    // Nothing would have been trained.
    if (!Number.isFinite(loss)) throw new Error(`${name}: the loss is ${loss}`);
  }
  const trained = session.variables.state();
  session.dispose();
  return {
    name,
    network,
    way: 'trained here -> PyTorch',
    here: await exportStrict(folder, name, spec, trained, inputs),
  };
}

async function startAndExport(folder: string, mode: 'speech' | 'face', inputs: StateDict): Promise<Returned> {
  const config = trainConfigSchema.parse({ mode, compat: 'seed' });
  const spec = modelSpec(config, 200);
  const state = randomState(networkParameters(spec), config.seed);
  const backbone = 'efficientnet-b0.pth';
  await loadBackbone(state, path.join(folder, backbone), {
    modality: mode,
    coefficient: '0',
    prefix: '',
    stem: 'average',
  });
  const name = `${mode} on efficientnet-b0`;
  const here = await exportStrict(folder, name, spec, state, inputs);
  return { name, network: { mode, coefficient: 0, fan: 'self' }, backbone, way: '--backbone_weights -> PyTorch', here };
}

async function exportStrict(
  folder: string,
  name: string,
  spec: ModelSpec,
  state: StateDict,
  inputs: StateDict,
): Promise<Float32Array[]> {
  const checkpoint = path.join(folder, 'checkpoint.safetensors');
  await writeCheckpoint(checkpoint, state, { spec, config: {}, epoch: 0, maxFrames: 32, metrics: {}, origins: {} });
  await exportWeights(checkpoint, path.join(folder, `strict-${name}.safetensors`));
  return predictions(spec, state, inputs);
}

/** What weights_parity.py gives for a network: logits and feature, or the four logits of a multimodal one. */
async function predictions(spec: ModelSpec, state: StateDict, inputs: StateDict): Promise<Float32Array[]> {
  const predictor = await createPredictor(spec, state, 'check-weights');
  const { logits, branches }: Prediction = predictor.predict(batchOf(inputs));
  predictor.dispose();
  if (spec.mode === 'multimodal')
    return [logits.data, ...MODALITIES.map((modality) => branches[modality]!.logits.data)];
  return [logits.data, branches[spec.mode]!.feature.data];
}

function batchOf(inputs: StateDict): Batch {
  const speech = floats(inputs, 'speech');
  const frames = inputs.get('frames')!.shape[1]!;
  const words = inputs.get('text')!.shape[1]!;
  const lengths = (length: number) => new Int32Array(CLIPS).fill(length);
  return {
    clips: CLIPS,
    speech: { data: speech, lengths: lengths(400) },
    face: { data: Uint8Array.from(floats(inputs, 'frames')), lengths: lengths(frames), frames },
    text: { data: floats(inputs, 'text'), lengths: lengths(words), words },
    presence: new Float32Array(CLIPS * MODALITIES.length).fill(1),
  };
}

async function tensorsOf(folder: string, name: string): Promise<StateDict> {
  return (await readSafetensors(path.join(folder, `${name}.safetensors`))).tensors;
}

function floats(tensors: StateDict, name: string): Float32Array {
  const tensor = tensors.get(name);
  if (tensor?.dtype !== 'F32') throw new Error(`no tensor ${name}`);
  return tensor.data;
}

function difference(name: string, here: readonly Float32Array[], there: StateDict): number {
  return Math.max(...here.map((values, index) => largest(values, floats(there, `${name}.${index}`))));
}

function largest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Array.from(expected).reduce((worst, value, i) => {
    const off = Math.abs(value - actual[i]!) / Math.max(1, Math.abs(value));
    return Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(worst, off);
  }, 0);
}

function note(what: string): void {
  process.stderr.write(`${what}\n`);
}

await main();
