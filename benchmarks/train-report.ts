import type { Figure, ReportTable, SuiteOutcome } from './report/schema.js';
import { measured } from './statistics.js';
import type { Side, TrainReport } from './train-protocol.js';

/** Kernels that a profile lists; the rest is one line. */
const LISTED_KERNELS = 12;

const HEADER = ['step', 'side', 'median s', 'min', 'max', 'spread', 'peak MB', 'to PyTorch', 'memory'];

/** The report in the form of every suite. */
export function trainOutcome(report: TrainReport): SuiteOutcome {
  const { device, threads, repeats } = report;
  return {
    figures: report.cases.flatMap(figuresOf),
    notes: [
      `TensorFlow on ${device}, ${threads} threads a side, ${repeats} steps of each in turn after 2 that do not count.`,
    ],
    tables: [
      {
        title: 'A training step',
        header: HEADER,
        rows: rows(report),
        notes: ['spread: the middle half of the steps as a share of the median; to PyTorch: ours / PyTorch.'],
      },
      ...profiles(report),
    ],
    charts: [],
    details: report,
  };
}

function figuresOf({ name, ours, amp, pytorch }: TrainReport['cases'][number]): Figure[] {
  const step = (of: string, side: Side): Figure[] => [
    {
      ...{ name: `${of}: step`, unit: 's', better: 'lower' },
      ...measured(side.seconds),
      ...(pytorch && {
        rival: { name: 'PyTorch', ...measured(pytorch.seconds) },
        ratio: pytorch.seconds.median / side.seconds.median,
      }),
    },
    {
      ...{ name: `${of}: peak memory`, unit: 'MB', better: 'lower', value: side.peakBytes / 2 ** 20 },
      ...(pytorch && {
        rival: { name: 'PyTorch', value: pytorch.peakBytes / 2 ** 20 },
        ratio: pytorch.peakBytes / side.peakBytes,
      }),
    },
  ];
  return [...step(name, ours), ...(amp ? step(`${name}, amp`, amp) : [])];
}

function rows({ cases }: TrainReport): string[][] {
  return cases.flatMap(({ name, ours, amp, pytorch }) => {
    const row = (side: string, values: Side) => [
      name,
      side,
      ...[values.seconds.median, values.seconds.min, values.seconds.max].map((value) => value.toFixed(3)),
      `${((100 * (values.seconds.high - values.seconds.low)) / values.seconds.median).toFixed(0)}%`,
      (values.peakBytes / 2 ** 20).toFixed(0),
      pytorch ? (values.seconds.median / pytorch.seconds.median).toFixed(2) : '',
      pytorch ? (values.peakBytes / pytorch.peakBytes).toFixed(2) : '',
    ];
    return [row('ours', ours), ...(amp ? [row('ours, amp', amp)] : []), ...(pytorch ? [row('PyTorch', pytorch)] : [])];
  });
}

function profiles({ cases }: TrainReport): ReportTable[] {
  return cases
    .filter(({ kernels }) => kernels.length > 0)
    .map(({ name, kernels }) => {
      const total = kernels.reduce((sum, { seconds }) => sum + seconds, 0);
      const count = kernels.reduce((sum, kernel) => sum + kernel.count, 0);
      const rest = kernels.slice(LISTED_KERNELS);
      const others = {
        kernel: `${rest.length} others`,
        count: rest.reduce((sum, kernel) => sum + kernel.count, 0),
        seconds: rest.reduce((sum, { seconds }) => sum + seconds, 0),
      };
      return {
        title: `${name}: ${count} kernels a step, ${total.toFixed(3)} s`,
        header: ['kernel', 'runs', 'ms', 'share'],
        notes: [],
        rows: [...kernels.slice(0, LISTED_KERNELS), others].map(({ kernel, count: runs, seconds }) => [
          kernel,
          String(runs),
          (1000 * seconds).toFixed(1),
          `${((100 * seconds) / total).toFixed(1)}%`,
        ]),
      };
    });
}
