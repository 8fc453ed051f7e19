import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Precision } from '../../common/bundle.js';
import { mapConcurrent } from '../../common/concurrent.js';
import { WorkerProcess } from '../../common/worker-process.js';
import { type Device, RUNTIME_ENVIRONMENT } from '../../serving/engine/devices.js';
import { Engine } from '../../serving/engine/engine.js';
import { benchInfer } from '../infer.js';
import { type EndToEnd, type Faces, facesSchema, type GpuReport } from './gpu-protocol.js';
import { measureTorch } from './torch.js';

export interface GpuBenchOptions {
  /** Bundles of the same model, each in a precision of its own. */
  bundles: readonly { folder: string; precision: Precision }[];
  device: Device;
  clips: readonly string[];
  batches: readonly number[];
  /** Measured runs of each network at each batch, and passes over the pictures. */
  repeats: number;
  /** Answers of each measurement from clip to answer, for each preprocessing process. */
  clipsPerWorker: number;
  /** Python with PyTorch. */
  python: string;
  onProgress(line: string): void;
}

/** Words of a clip, as `mer bench infer` has it. */
const WORDS = 12;
const WARMUP = 3;
/** Clips on their way for each preprocessing process, so that none of them waits for work. */
const CLIPS_UNDER_WAY = 2;

/**
 * Measures the networks at several batch sizes, MTCNN alone, clips from file to answer with 1 to N preprocessing
 * processes, and PyTorch with the same networks where it is installed.
 *
 * @throws MerError missing_part when the device does not run; bad_file for a bundle that is not whole
 */
export async function benchGpu(options: GpuBenchOptions): Promise<GpuReport> {
  const { bundles, device, batches, repeats, onProgress } = options;
  const cores = os.availableParallelism();
  const networks: GpuReport['networks'] = [];
  for (const { folder, precision } of bundles) {
    onProgress(`networks, ${precision}`);
    const request = { device, threads: cores, batches: [...batches], repeats, warmup: WARMUP, words: WORDS };
    networks.push({ precision, report: await benchInfer({ bundleDir: folder, ...request }) });
  }
  onProgress('MTCNN');
  const devices: Device[] = device === 'cpu' ? ['cpu'] : ['cpu', device];
  const faces: Faces[] = [];
  for (const each of devices) faces.push(...(await measureFaces(each, options)));
  const endToEnd: EndToEnd[] = [];
  for (const { folder, precision } of bundles) {
    for (const workers of workerCounts(cores)) {
      onProgress(`clips to answers, ${precision}, ${workers} preprocessing`);
      endToEnd.push({ precision, ...(await measureEngine(folder, workers, options)) });
    }
  }
  onProgress('PyTorch');
  const frames = networks[0]?.report.clip.faceFrames ?? 0;
  const torch = await measureTorch({ ...options, frames, words: WORDS });
  return {
    ...{ device, gpu: device === 'cpu' ? null : await describeGpu(), cores, repeats, networks, faces, endToEnd },
    torch: torch.measurements,
    torchNote: torch.note,
  };
}

/** 1, 2, 4, … and as many as there are cores. */
function workerCounts(cores: number): number[] {
  const powers = Array.from({ length: Math.floor(Math.log2(cores)) + 1 }, (_, i) => 2 ** i);
  return [...new Set([...powers, cores])];
}

async function measureFaces(device: Device, { clips, repeats }: GpuBenchOptions): Promise<Faces[]> {
  const request = { device, clips, repeats };
  const { worker } = await WorkerProcess.start({
    name: 'benchmark',
    module: new URL('./faces-child.js', import.meta.url),
    config: request,
    env: RUNTIME_ENVIRONMENT,
  });
  try {
    return z.array(facesSchema).parse(await worker.execute(request));
  } finally {
    await worker.kill();
  }
}

async function measureEngine(folder: string, workers: number, options: GpuBenchOptions) {
  const { device, clips, clipsPerWorker } = options;
  const engine = await Engine.create(folder, { device, workers });
  try {
    const underWay = workers * CLIPS_UNDER_WAY;
    const answer = (_: unknown, i: number) => engine.predict({ clip: clips[i % clips.length]! });
    await mapConcurrent(Array.from({ length: underWay }), underWay, answer);
    const count = workers * clipsPerWorker;
    const start = performance.now();
    await mapConcurrent(Array.from({ length: count }), underWay, answer);
    return { workers, clips: count, clipsPerSecond: (1000 * count) / (performance.now() - start) };
  } finally {
    await engine.dispose();
  }
}

async function describeGpu(): Promise<string | null> {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
  try {
    return (await promisify(execFile)('nvidia-smi', query)).stdout.trim();
  } catch {
    return null;
  }
}
