import os from 'node:os';
import type { Command } from 'commander';
import { addReportFlags, type ReportFlags, reportSuite } from './bench-report.js';
import { addEngineFlags, bundleFolder, type EngineFlags } from './engine-flags.js';
import { wholeNumber } from './flags.js';

/** Sizes that every run measures, so that results can be compared. */
const BATCHES = [1, 8];
const WORDS = 12;
const WARMUP = 3;

interface Flags extends EngineFlags, ReportFlags {
  repeats: number;
}

export function addBenchInferCommand(bench: Command): void {
  addReportFlags(addEngineFlags(bench.command('infer')))
    .description('Latency and clips a second of each network of a bundle at batch 1 and 8, without preprocessing.')
    .option('--repeats <n>', 'measured runs of each', wholeNumber(1), 50)
    .action((flags: Flags) =>
      reportSuite('infer', flags, async () => {
        const { benchInfer } = await import('../benchmarks/infer.js');
        const { inferOutcome } = await import('../benchmarks/infer-report.js');
        const report = await benchInfer({
          bundleDir: await bundleFolder(flags),
          device: flags.device,
          threads: flags.threads ?? os.availableParallelism(),
          batches: BATCHES,
          repeats: flags.repeats,
          warmup: WARMUP,
          words: WORDS,
        });
        return inferOutcome(report);
      }),
    );
}
