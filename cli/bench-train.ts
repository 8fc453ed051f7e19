import { type Command, Option } from 'commander';
import type { TrainCaseName } from '../benchmarks/train.js';
import { addReportFlags, type ReportFlags, reportSuite } from './bench-report.js';
import { wholeNumber } from './flags.js';

const CASES = ['face', 'speech', 'multimodal', 'text'] as const satisfies readonly TrainCaseName[];

interface Flags extends ReportFlags {
  case: TrainCaseName[];
  threads: number;
  repeats: number;
  reference: boolean;
  amp?: true;
  profile?: true;
  device: 'auto' | 'cpu';
}

export function addBenchTrainCommand(bench: Command): void {
  addReportFlags(bench.command('train'))
    .description(
      'Seconds and memory of a training step, ours and PyTorch in turn in one run: face B0 2 x 16 frames, speech B4 ' +
        'batch 8, multimodal 2 x 16 and text batch 32, in float32 with the same optimizer and tuned allocators.',
    )
    .addOption(new Option('--case <name...>', 'only these').choices(CASES).default([...CASES], 'all'))
    .option('--threads <n>', 'threads of each side', wholeNumber(1), 2)
    .option('--repeats <n>', 'measured steps of each, after two that are not', wholeNumber(1), 7)
    .option('--no-reference', 'ours alone: needs no PyTorch (6 GB)')
    .option('--amp', 'measure ours with --amp True as well')
    .option('--profile', 'name the kernels of a step and their times')
    .addOption(new Option('--device <name>', 'where ours runs').choices(['auto', 'cpu']).default('auto'))
    .action((flags: Flags) =>
      reportSuite('train', flags, async () => {
        const { benchTrain } = await import('../benchmarks/train.js');
        const { trainOutcome } = await import('../benchmarks/train-report.js');
        const report = await benchTrain({
          cases: flags.case,
          threads: flags.threads,
          repeats: flags.repeats,
          reference: flags.reference,
          amp: flags.amp ?? false,
          profile: flags.profile ?? false,
          device: flags.device,
          note: (line) => process.stderr.write(`${line}\n`),
        });
        return trainOutcome(report);
      }),
    );
}
