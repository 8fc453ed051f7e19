import type { Command } from 'commander';
import { addReportFlags, type ReportFlags, reportSuite } from './bench-report.js';
import { wholeNumber } from './flags.js';

interface PreprocessBenchFlags extends ReportFlags {
  clips: string[];
  repeats: number;
  threads: number;
}

export function addBenchPreprocessCommand(bench: Command): void {
  addReportFlags(bench.command('preprocess'))
    .description(
      'Preprocessing in both modes against the PyTorch reference, on the same clips in one run. The first run installs the reference: some minutes, 6 GB.',
    )
    .option('--clips <files...>', 'clips with sound and pictures (default: the four golden clips)', [])
    .option('--repeats <n>', 'measured turns of each side', wholeNumber(1), 5)
    .option('--threads <n>', 'threads of each side', wholeNumber(1), 2)
    .action(({ clips, repeats, threads, ...flags }: PreprocessBenchFlags) =>
      reportSuite('preprocess', flags, async () => {
        const { benchPreprocess } = await import('../benchmarks/preprocess.js');
        const { preprocessOutcome } = await import('../benchmarks/preprocess-report.js');
        const onProgress = (line: string) => process.stderr.write(`${line}\n`);
        return preprocessOutcome(await benchPreprocess({ clips, repeats, threads, onProgress }));
      }),
    );
}
