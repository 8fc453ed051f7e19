import { type Command, Option } from 'commander';
import type { Part } from '../benchmarks/serve/protocol.js';
import { addReportFlags, type ReportFlags, reportSuite } from './bench-report.js';
import { positiveNumber, wholeNumber } from './flags.js';

const PARTS = ['reference', 'clients', 'engine', 'overload', 'scaling'] as const satisfies readonly Part[];
const CLIENTS = [1, 2, 4, 8, 16];

interface Flags extends ReportFlags {
  bundle?: string;
  part: Part[];
  clips: string[];
  clients: number[];
  repeats: number;
  threads: number;
  load_seconds: number;
  overload_seconds: number;
}

export function addBenchServeCommand(bench: Command): void {
  addReportFlags(bench.command('serve'))
    .description(
      'A server under load from this machine: clip to answer against the PyTorch reference, throughput against the ' +
        'bare engine and by clients at once, overload, cost by length and size of clips. The first run installs the ' +
        'reference: some minutes, 6 GB.',
    )
    .option('--bundle <dir>', 'bundle to serve (default: one of the size of the reference, made with random weights)')
    .addOption(new Option('--part <name...>', 'only these').choices(PARTS).default([...PARTS], 'all'))
    .option('--clips <files...>', 'clips of the comparison with PyTorch (default: the four golden clips)', [])
    .option(
      '--clients <n...>',
      'numbers of clients at once',
      (text: string, before: number[]) => [...(before === CLIENTS ? [] : before), wholeNumber(1)(text)],
      CLIENTS,
    )
    .option('--repeats <n>', 'measured turns of a clip alone', wholeNumber(1), 5)
    .option('--threads <n>', 'threads of inference and of the reference', wholeNumber(1), 2)
    .option('--load_seconds <n>', 'how long each number of clients is measured', positiveNumber, 10)
    .option('--overload_seconds <n>', 'how long the overload lasts', positiveNumber, 60)
    .action((flags: Flags) =>
      reportSuite('serve', flags, async () => {
        const { benchServe } = await import('../benchmarks/serve/serve.js');
        const { serveOutcome } = await import('../benchmarks/serve/report.js');
        const details = await benchServe({
          ...(flags.bundle !== undefined && { bundleDir: flags.bundle }),
          parts: flags.part,
          clips: flags.clips,
          clients: flags.clients,
          repeats: flags.repeats,
          threads: flags.threads,
          loadSeconds: flags.load_seconds,
          overloadSeconds: flags.overload_seconds,
          note: (line) => process.stderr.write(`${line}\n`),
        });
        return serveOutcome(details);
      }),
    );
}
