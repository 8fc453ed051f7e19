import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { writeJsonAtomic } from '../common/files.js';
import { MODALITIES } from '../common/labels.js';
import { Random } from '../common/random.js';
import { type StateDict, writeSafetensors } from '../common/safetensors.js';
import { VERSION } from '../common/version.js';
import { WorkerProcess } from '../common/worker-process.js';
import { buildModels } from '../export/build-models.js';
import { modelSources } from '../export/model-sources.js';
import { SINGLE } from '../export/onnx-network.js';
import { runPython } from '../export/run-python.js';
import { networkParameters } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { randomState } from '../training/initial-state.js';
import { type ExportCase, type ExportReport, type TimingRequest, timingSchema } from './export-protocol.js';
import { ensureReferenceEnvironment, runReference } from './reference/environment.js';

const BATCHES = [1, 8];
const SEED = 1;

/** The networks of the reference's commands, in its own mode: so PyTorch computes the same. */
const SPEC: Omit<ModelSpec, 'mode'> = {
  ...{ compat: 'seed', speechCoefficient: '4', faceCoefficient: '0', faceSize: 224, textLayers: 12, textHeads: 8 },
  ...{ wordDim: 200, maxWords: 38, fan: 'self', fusion: 'concat' },
};

const NETWORKS: Record<ExportCase, string> = {
  speech: 'AttnCNN-B4, 400 frames',
  face: 'CLSTM-B0, 16 frames',
  text: 'Transformer of 12 layers, 38 words',
  multimodal: 'all three and their fusion in one file',
};

export interface ExportBenchOptions {
  cases: readonly ExportCase[];
  threads: number;
  repeats: number;
  note: (line: string) => void;
}

/**
 * Exports the same random weights with our exporter and with torch's TorchScript-based one, and compares nodes, bytes
 * and time on the same ONNX Runtime.
 *
 * @throws MerError missing_part when PyTorch cannot be installed
 */
export async function benchExport({ cases, threads, repeats, note }: ExportBenchOptions): Promise<ExportReport> {
  await ensureReferenceEnvironment();
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-bench-export-'));
  try {
    note('exporting with both');
    await exportBoth(cases, folder, threads);
    const [ours, torch] = [await countNodes(path.join(folder, 'ours')), await countNodes(path.join(folder, 'torch'))];
    const report: ExportReport = { threads, repeats, cases: [] };
    for (const name of cases) {
      const files = (batch: number) => ({
        ours: path.join(folder, 'ours', `${name}.onnx`),
        torch: path.join(folder, 'torch', `${name}-${batch}.onnx`),
      });
      const first = files(1);
      const bytes = { ours: (await fsp.stat(first.ours)).size, torch: (await fsp.stat(first.torch)).size };
      const timings = [];
      for (const batch of BATCHES) {
        note(`${name}, batch ${batch}`);
        timings.push(await timeBoth({ name, ...files(batch), batch, threads, repeats }));
      }
      report.cases.push({
        ...{ name, network: NETWORKS[name], bytes, timings },
        nodes: { ours: ours[name]!, torch: torch[`${name}-1`]! },
      });
    }
    return report;
  } finally {
    await fsp.rm(folder, { recursive: true });
  }
}

/** Writes ours/NAME.onnx and torch/NAME.onnx. */
async function exportBoth(cases: readonly ExportCase[], folder: string, threads: number): Promise<void> {
  const own = path.join(folder, 'ours');
  await fsp.mkdir(own);
  for (const name of cases) {
    const spec: ModelSpec = { ...SPEC, mode: name };
    const state = unlikeState(spec);
    await writeSafetensors(path.join(folder, `${name}.safetensors`), state);
    const all = name === 'multimodal';
    const parts = { modalities: all ? MODALITIES : [name], fusion: all, single: all };
    const source = modelSources({ spec, state }, name, parts)[all ? SINGLE : name]!;
    await buildModels({ [name]: source }, own, VERSION);
  }
  const networks = cases.map((name) => ({
    ...{
      name,
      mode: name,
      coefficient: name === 'face' ? 0 : 4,
      face: 0,
      layers: 12,
      heads: 8,
      fan: 'self',
      batches: BATCHES,
    },
  }));
  await writeJsonAtomic(path.join(folder, 'cases.json'), networks);
  await runReference('export_onnx.py', [`${threads}`, folder], threads);
}

/**
 * Random weights no two of which are alike, as after training: what starts as a constant, such as the statistics of batch
 * normalisation, is moved a little. The same array under several names would be stored once by torch.
 */
function unlikeState(spec: ModelSpec): StateDict {
  const parameters = networkParameters(spec);
  const state = randomState(parameters, SEED);
  for (const { name, initializer } of parameters) {
    if (initializer.kind !== 'constant') continue;
    const random = Random.for(SEED, 'moved', name);
    const { data } = state.get(name)!;
    for (const [i, value] of data.entries()) data[i] = Number(value) + random.between(0, 0.1);
  }
  return state;
}

async function countNodes(directory: string): Promise<Record<string, number>> {
  const schema = z.record(z.string(), z.object({ operators: z.record(z.string(), z.number()) }));
  const graphs = schema.parse(JSON.parse(await runPython('describe_models.py', [directory])));
  const total = (operators: Record<string, number>) => Object.values(operators).reduce((sum, count) => sum + count, 0);
  return Object.fromEntries(Object.entries(graphs).map(([name, { operators }]) => [name, total(operators)]));
}

async function timeBoth(request: TimingRequest) {
  const module = new URL('./export-child.js', import.meta.url);
  const { worker } = await WorkerProcess.start({ name: 'timing', module, config: null });
  try {
    return timingSchema.parse(await worker.execute(request));
  } finally {
    await worker.kill();
  }
}
