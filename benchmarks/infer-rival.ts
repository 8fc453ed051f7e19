import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { MODALITIES } from '../common/labels.js';
import { VERSION } from '../common/version.js';
import { WorkerProcess } from '../common/worker-process.js';
import { buildModels, type ModelSource } from '../export/build-models.js';
import { branchGraph, fusionGraph } from '../export/network-graphs.js';
import { BRANCH_PREFIX } from '../models/multimodal.js';
import { networkParameters } from '../models/parameters.js';
import { RUNTIME_ENVIRONMENT } from '../serving/engine/devices.js';
import { modelSpec } from '../training/config.js';
import { randomState } from '../training/initial-state.js';
import { parseTrainConfig } from '../training/parse-config.js';
import { type MeasuredCase, type NetworkCase, passSchema, type RivalReport } from './infer-rival-protocol.js';
import { ReferenceSession } from './reference/session.js';
import { summarise } from './statistics.js';

const WORDS = 38;
/** The reference's networks at the sizes of evaluation (16 frames) and submission (32), and of small batches. */
export const NETWORK_CASES: readonly NetworkCase[] = [
  { network: 'speech', clips: 1, frames: 16, words: WORDS },
  { network: 'speech', clips: 8, frames: 16, words: WORDS },
  { network: 'face', clips: 1, frames: 16, words: WORDS },
  { network: 'face', clips: 1, frames: 32, words: WORDS },
  { network: 'text', clips: 1, frames: 16, words: WORDS },
  { network: 'text', clips: 32, frames: 16, words: WORDS },
  { network: 'multimodal', clips: 1, frames: 16, words: WORDS },
  { network: 'multimodal', clips: 1, frames: 32, words: WORDS },
];

const WARMUP = 2;
const WORD_DIM = 200;

/**
 * Measures the networks of the reference (AttnCNN-B4, CLSTM-B0, text with 12 layers, multimodal) with random weights, as
 * exported ONNX files in ONNX Runtime and in PyTorch, one pass of each in turn, on the CPU.
 *
 * @throws MerError missing_part when the Python environment or the reference's is not there
 */
export async function benchRival(options: {
  threads: number;
  repeats: number;
  note(line: string): void;
}): Promise<RivalReport> {
  const { threads, repeats, note } = options;
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-bench-'));
  try {
    await buildNetworks(folder);
    const { worker } = await WorkerProcess.start({
      name: 'benchmark',
      module: new URL('./infer-rival-child.js', import.meta.url),
      config: { folder, threads },
      env: RUNTIME_ENVIRONMENT,
    });
    const reference = await ReferenceSession.start('infer.py', threads).catch(async (error: unknown) => {
      await worker.kill();
      throw error;
    });
    try {
      const cases: MeasuredCase[] = [];
      for (const asked of NETWORK_CASES) {
        note(`${asked.network}, ${asked.clips} x ${asked.frames} frames: ${repeats} passes of each`);
        const [ours, pytorch]: [number[], number[]] = [[], []];
        for (let round = 0; round < WARMUP + repeats; round++) {
          ours.push(passSchema.parse(await worker.execute(asked)).seconds);
          pytorch.push(passSchema.parse(await reference.execute(asked)).seconds);
        }
        const [own, rival] = [ours, pytorch].map((seconds) => summarise(seconds.slice(WARMUP)));
        cases.push({ ...asked, ours: own!, pytorch: rival! });
      }
      return { threads, repeats, cases };
    } finally {
      await Promise.all([worker.kill(), reference.kill()]);
    }
  } finally {
    await fsp.rm(folder, { recursive: true, force: true });
  }
}

async function buildNetworks(folder: string): Promise<void> {
  const config = parseTrainConfig({ compat: 'seed', mode: 'multimodal', speech_coeff: '4', face_coeff: '0' });
  const spec = modelSpec(config, WORD_DIM);
  const state = randomState(networkParameters(spec), config.seed);
  const models: Record<string, ModelSource> = { multimodal: { graph: fusionGraph(spec, state), metadata: {} } };
  for (const modality of MODALITIES) {
    models[modality] = { graph: branchGraph(modality, spec, state, BRANCH_PREFIX[modality]), metadata: {} };
  }
  await buildModels(models, folder, VERSION);
}
