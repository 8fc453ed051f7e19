import os from 'node:os';
import type { Command } from 'commander';
import type { InferReport } from '../benchmarks/infer-protocol.js';
import { addBenchPreprocessCommand } from './bench-preprocess.js';
import { addBenchTrainCommand } from './bench-train.js';
import { addEngineFlags, bundleFolder, type EngineFlags } from './engine-flags.js';
import { wholeNumber } from './flags.js';

/** Sizes that every run measures, so that results can be compared. */
const BATCHES = [1, 8];
const WORDS = 12;
const WARMUP = 3;

export function addBenchCommand(program: Command): void {
  const bench = program.command('bench').description('Measure latency and throughput.');
  addBenchPreprocessCommand(bench);
  addBenchTrainCommand(bench);
  addEngineFlags(bench.command('infer'))
    .description('Latency and clips a second of each network of a bundle at batch 1 and 8, without preprocessing.')
    .option('--repeats <n>', 'measured runs of each', wholeNumber(1), 50)
    .option('--json', 'print the report as JSON')
    .action(async (flags: EngineFlags & { repeats: number; json?: true }) => {
      const { benchInfer } = await import('../benchmarks/infer.js');
      const report = await benchInfer({
        bundleDir: await bundleFolder(flags),
        device: flags.device,
        threads: flags.threads ?? os.availableParallelism(),
        batches: BATCHES,
        repeats: flags.repeats,
        warmup: WARMUP,
        words: WORDS,
      });
      process.stdout.write(`${flags.json ? JSON.stringify(report, null, 2) : await table(report)}\n`);
    });
}

async function table({ model, device, fallback, threads, clip, machine, measurements }: InferReport): Promise<string> {
  const { formatTable } = await import('../common/table.js');
  const rows = measurements.map(({ graph, batch, p50, p99, clipsPerSecond }) => [
    graph,
    String(batch),
    p50.toFixed(2),
    p99.toFixed(2),
    clipsPerSecond.toFixed(1),
  ]);
  return [
    `${model.name} ${model.version} on ${device}, ${threads} threads; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`,
    `a clip: ${clip.melFrames} mel frames, ${clip.faceFrames} faces of ${clip.faceSize} x ${clip.faceSize}, ${clip.words} words`,
    ...(fallback === undefined ? [] : [fallback]),
    formatTable(['network', 'batch', 'p50 ms', 'p99 ms', 'clips/s'], rows),
  ].join('\n');
}
