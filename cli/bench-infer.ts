import os from 'node:os';
import type { Command } from 'commander';
import { MerError } from '../common/errors.js';
import { addReportFlags, type ReportFlags, reportSuite } from './bench-report.js';
import { addEngineFlags, bundleFolder, type EngineFlags } from './engine-flags.js';
import { wholeNumber } from './flags.js';

/** Sizes that every run measures, so that results can be compared. */
const BATCHES = [1, 8];
const WORDS = 12;
const WARMUP = 3;

interface Flags extends EngineFlags, ReportFlags {
  repeats: number;
  reference: boolean;
}

export function addBenchInferCommand(bench: Command): void {
  addReportFlags(addEngineFlags(bench.command('infer')))
    .description(
      'The networks of the reference in ONNX Runtime against PyTorch, and each network of a bundle at batch 1 and 8, without preprocessing.',
    )
    .option('--repeats <n>', 'measured runs of each', wholeNumber(1), 20)
    .option('--no-reference', 'the bundle alone: needs no PyTorch (6 GB)')
    .action((flags: Flags) =>
      reportSuite('infer', flags, async () => {
        const { benchInfer } = await import('../benchmarks/infer.js');
        const { inferOutcome } = await import('../benchmarks/infer-report.js');
        const { benchRival } = await import('../benchmarks/infer-rival.js');
        const { repeats, device, reference } = flags;
        const threads = flags.threads ?? os.availableParallelism();
        const bundleDir = await bundleOrNone(flags);
        const request = { device, threads, repeats, batches: BATCHES, warmup: WARMUP, words: WORDS };
        const report = bundleDir === null ? null : await benchInfer({ bundleDir, ...request });
        const note = (line: string) => process.stderr.write(`${line}\n`);
        return inferOutcome(report, reference ? await benchRival({ threads, repeats, note }) : null);
      }),
    );
}

/** Without a bundle under bundles/ the reference's networks alone are measured. */
async function bundleOrNone(flags: Flags): Promise<string | null> {
  try {
    return await bundleFolder(flags);
  } catch (error) {
    if (flags.reference && error instanceof MerError && error.code === 'not_found') return null;
    throw error;
  }
}
