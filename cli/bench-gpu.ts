import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { MerError } from '../common/errors.js';
import type { Device } from '../serving/engine/devices.js';
import { addReportFlags, type ReportFlags, reportSuite } from './bench-report.js';
import { bundleFolder } from './engine-flags.js';
import { wholeNumber } from './flags.js';

/** Sizes that every run on a GPU measures, and those of a dry run. */
const SIZES = { batches: [1, 8, 32, 128], repeats: 50, clipsPerWorker: 20 };
const DRY_RUN_SIZES = { batches: [1, 2], repeats: 2, clipsPerWorker: 2 };

interface Flags extends ReportFlags {
  bundle?: string[];
  device: Device;
  clips?: string[];
  batches?: number[];
  repeats?: number;
  python: string;
}

export function addBenchGpuCommand(bench: Command): void {
  addReportFlags(bench.command('gpu'))
    .description('Throughput on CUDA: networks by batch and precision, MTCNN, clips to answers, beside PyTorch.')
    .option(
      '--bundle <dir...>',
      'bundles of one model, such as one of fp32 and one of fp16 (default: the newest under bundles/)',
    )
    .option('--device <device>', 'cuda:K, or cpu for a small dry run that proves nothing about a GPU', device, 'cuda:0')
    .option('--clips <file...>', 'clips (default: the golden clips)')
    .option('--batches <n...>', 'batch sizes (default: 1 8 32 128; dry run: 1 2)', batch)
    .option('--repeats <n>', 'measured runs of each (default: 50; dry run: 2)', wholeNumber(1))
    .option('--python <file>', 'Python that may have PyTorch', 'python3')
    .action((flags: Flags) => reportSuite('gpu', flags, () => measure(flags)));
}

async function measure({ bundle, device, clips, batches, repeats, python }: Flags) {
  const { benchGpu } = await import('../benchmarks/gpu/gpu.js');
  const { gpuOutcome, UNPROVEN } = await import('../benchmarks/gpu/gpu-report.js');
  const { goldenClips } = await import('../benchmarks/preprocess.js');
  const { verifyBundle } = await import('../common/bundle-files.js');
  const folders = bundle ?? [await bundleFolder({})];
  const bundles = await Promise.all(
    folders.map(async (folder) => ({ folder, precision: (await verifyBundle(folder)).precision })),
  );
  if (new Set(bundles.map(({ precision }) => precision)).size < bundles.length) {
    throw new MerError('bad_argument', 'Two of the bundles are of one precision.', 'Name one bundle a precision.');
  }
  const sizes = device === 'cpu' ? DRY_RUN_SIZES : SIZES;
  const suffix = device === 'cpu' ? ` (${UNPROVEN})` : '';
  const report = await benchGpu({
    ...{ bundles, device, python },
    clips: clips?.map((clip) => path.resolve(clip)) ?? (await goldenClips()),
    batches: batches ?? sizes.batches,
    repeats: repeats ?? sizes.repeats,
    clipsPerWorker: sizes.clipsPerWorker,
    onProgress: (line) => process.stderr.write(`${line}${suffix}\n`),
  });
  return gpuOutcome(report);
}

function device(text: string): Device {
  if (text === 'cpu') return 'cpu';
  const number = /^cuda(?::(\d{1,3}))?$/.exec(text);
  if (!number) throw new InvalidArgumentError('It is not cuda, cuda:K or cpu.');
  return `cuda:${Number(number[1] ?? 0)}`;
}

function batch(text: string, sizes: number[] | undefined): number[] {
  return [...(sizes ?? []), wholeNumber(1)(text)];
}
