import { type Command, Option } from 'commander';
import { EXPORT_CASES, type ExportCase, OPENINGS } from '../benchmarks/export-protocol.js';
import { addReportFlags, type ReportFlags, reportSuite } from './bench-report.js';
import { wholeNumber } from './flags.js';

interface Flags extends ReportFlags {
  case: ExportCase[];
  threads: number;
  repeats: number;
}

export function addBenchExportCommand(bench: Command): void {
  addReportFlags(bench.command('export'))
    .description("Nodes, size and CPU time of our ONNX files and of torch's own export of the same weights.")
    .addOption(new Option('--case <name...>', 'only these').choices(EXPORT_CASES).default([...EXPORT_CASES], 'all'))
    .option('--threads <n>', 'threads of ONNX Runtime', wholeNumber(1), 2)
    .option(
      '--repeats <n>',
      `measured runs of each at least, spread over ${OPENINGS} openings of the files`,
      wholeNumber(OPENINGS),
      20,
    )
    .action((flags: Flags) =>
      reportSuite('export', flags, async () => {
        const { benchExport } = await import('../benchmarks/export.js');
        const { exportOutcome } = await import('../benchmarks/export-report.js');
        const { case: cases, threads, repeats } = flags;
        const note = (line: string) => process.stderr.write(`${line}\n`);
        return exportOutcome(await benchExport({ cases, threads, repeats, note }));
      }),
    );
}
