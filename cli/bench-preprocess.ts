import type { Command } from 'commander';
import { wholeNumber } from './flags.js';

interface PreprocessBenchFlags {
  clips: string[];
  repeats: number;
  threads: number;
  json?: string;
  markdown?: string;
}

export function addBenchPreprocessCommand(bench: Command): void {
  bench
    .command('preprocess')
    .description(
      'Preprocessing in both modes against the PyTorch reference, on the same clips in one run. The first run installs the reference: some minutes, 6 GB.',
    )
    .option('--clips <files...>', 'clips with sound and pictures (default: the four golden clips)', [])
    .option('--repeats <n>', 'measured turns of each side', wholeNumber(1), 5)
    .option('--threads <n>', 'threads of each side', wholeNumber(1), 2)
    .option('--json <file>', 'write the report as JSON')
    .option('--markdown <file>', 'write the tables as Markdown')
    .action(async ({ json, markdown, ...options }: PreprocessBenchFlags) => {
      const { benchPreprocess } = await import('../benchmarks/preprocess.js');
      const { formatMarkdown, formatReport } = await import('../benchmarks/preprocess-report.js');
      const { writeFileAtomic, writeJsonAtomic } = await import('../common/files.js');
      const onProgress = (line: string) => process.stderr.write(`${line}\n`);
      const report = await benchPreprocess({ ...options, onProgress });
      if (json !== undefined) await writeJsonAtomic(json, report);
      if (markdown !== undefined) await writeFileAtomic(markdown, formatMarkdown(report));
      process.stdout.write(`${formatReport(report)}\n`);
    });
}
