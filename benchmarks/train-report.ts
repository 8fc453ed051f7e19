import fsp from 'node:fs/promises';
import { writeFileAtomic } from '../common/files.js';
import { formatTable } from '../common/table.js';
import type { Side, TrainReport } from './train-protocol.js';

const MARK = '<!-- bench train -->';

/** Kernels that a profile lists; the rest is one line. */
const LISTED_KERNELS = 12;

const HEADER = ['step', 'side', 'median s', 'min', 'max', 'spread', 'peak MB', 'to PyTorch', 'memory'];

function describe({ machine, device, threads, repeats, others }: TrainReport): string {
  const busy = others === null ? '' : `; others took ${(100 * others).toFixed(0)} % of the cores meanwhile`;
  return (
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; TensorFlow on ${device}, ${threads} threads; ` +
    `${repeats} steps of each in turn after 2 that do not count${busy}`
  );
}

function rows({ cases }: TrainReport): string[][] {
  return cases.flatMap(({ name, ours, amp, pytorch }) => {
    const row = (side: string, values: Side) => [
      name,
      side,
      ...[values.seconds.median, values.seconds.min, values.seconds.max].map((value) => value.toFixed(3)),
      `${(100 * values.spread).toFixed(0)}%`,
      (values.peakBytes / 2 ** 20).toFixed(0),
      pytorch ? (values.seconds.median / pytorch.seconds.median).toFixed(2) : '',
      pytorch ? (values.peakBytes / pytorch.peakBytes).toFixed(2) : '',
    ];
    return [row('ours', ours), ...(amp ? [row('ours, amp', amp)] : []), ...(pytorch ? [row('PyTorch', pytorch)] : [])];
  });
}

function profiles({ cases }: TrainReport): { title: string; rows: string[][] }[] {
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
        rows: [...kernels.slice(0, LISTED_KERNELS), others].map(({ kernel, count: runs, seconds }) => [
          kernel,
          String(runs),
          (1000 * seconds).toFixed(1),
          `${((100 * seconds) / total).toFixed(1)}%`,
        ]),
      };
    });
}

const PROFILE_HEADER = ['kernel', 'runs', 'ms', 'share'];

/** The report for a terminal. */
export function trainTables(report: TrainReport): string {
  return [
    describe(report),
    formatTable(HEADER, rows(report)),
    ...profiles(report).map(({ title, rows: lines }) => `\n${title}\n${formatTable(PROFILE_HEADER, lines)}`),
  ].join('\n');
}

/** Puts the tables between the two marks of a Markdown file, or makes the file of them. */
export async function writeMarkdown(file: string, report: TrainReport): Promise<void> {
  const table = (header: string[], lines: string[][]) =>
    [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const parts = [
    describe(report),
    table(HEADER, rows(report)),
    ...profiles(report).flatMap(({ title, rows: lines }) => [title, table(PROFILE_HEADER, lines)]),
  ];
  const block = `${MARK}\n${parts.join('\n\n')}\n${MARK}`;
  const old = await fsp.readFile(file, 'utf8').catch(() => block);
  const pieces = old.split(MARK);
  const text = pieces.length === 3 ? `${pieces[0]}${block}${pieces[2]}` : block;
  await writeFileAtomic(file, text.endsWith('\n') ? text : `${text}\n`);
}
