import fsp from 'node:fs/promises';
import { writeFileAtomic } from '../common/files.js';
import { curvesSvg, type Series } from '../common/plots/curves.js';

const TEXTS = ['split', 'output'] as const;
const NUMBERS = [
  'epoch',
  'step',
  'clips',
  'learning_rate',
  'loss',
  'accuracy',
  'macro_f1',
  'weighted_f1',
  'ece',
] as const;

/** The columns of metrics.csv, in their order. */
const COLUMNS = ['epoch', 'step', 'split', 'output', ...NUMBERS.slice(2)] as const;

/**
 * One line of metrics.csv: the means over one epoch of training (split `train`, which has no F1 and no calibration
 * error), or one output on the validation clips (split `val`, which has no learning rate).
 */
export type MetricsRow = {
  /** From 1. */
  epoch: number;
  /** Steps of the run so far. */
  step: number;
  split: 'train' | 'val';
  output: string;
} & Partial<Record<(typeof NUMBERS)[number], number>>;

/** The metrics of a run by epoch and evaluation: metrics.csv, and its curves. */
export class MetricsTable {
  readonly #file: string;
  #rows: MetricsRow[] = [];

  /** @param file metrics.csv, which is written at the first {@link add} */
  constructor(file: string) {
    this.#file = file;
  }

  /** Reads what an interrupted run wrote up to `step`; what comes later is done again. */
  async load(step: number): Promise<void> {
    const text = await fsp.readFile(this.#file, 'utf8').catch(() => '');
    const [header = '', ...lines] = text.trim().split('\n');
    const names = header.split(',');
    this.#rows = lines.map((line) => parseRow(names, line.split(','))).filter((row) => row.step <= step);
  }

  /** Adds rows, in place of those of the same step, split and output, and writes the file. */
  async add(...rows: MetricsRow[]): Promise<void> {
    const key = ({ step, split, output }: MetricsRow) => `${step} ${split} ${output}`;
    const added = new Set(rows.map(key));
    this.#rows = [...this.#rows.filter((row) => !added.has(key(row))), ...rows];
    const lines = this.#rows.map((row) => COLUMNS.map((name) => row[name] ?? '').join(','));
    await writeFileAtomic(this.#file, `${[COLUMNS.join(','), ...lines].join('\n')}\n`);
  }

  /** Loss, scores and learning rate over the epochs, as an SVG picture. */
  curves(stepsPerEpoch: number): string {
    const series = (name: string, split: MetricsRow['split'], output: string, column: (typeof NUMBERS)[number]) => {
      const rows = this.#rows.filter((row) => row.split === split && row.output === output);
      const points = rows.map((row) => [row.step / stepsPerEpoch, row[column] ?? Number.NaN] as const);
      return { name, points } satisfies Series;
    };
    const outputs = [...new Set(this.#rows.filter(({ split }) => split === 'val').map(({ output }) => output))];
    const validation = (name: string, column: 'loss' | 'accuracy' | 'macro_f1') =>
      outputs.map((output) => series(`${name}, ${output}`, 'val', output, column));
    // Multimodal training adds up the losses of the fusion and of the heads.
    const training = outputs.length > 1 ? 'training, all terms' : 'training';
    return curvesSvg([
      {
        title: 'Loss',
        xLabel: 'epoch',
        yLabel: 'cross-entropy (nats)',
        series: [series(training, 'train', 'inte', 'loss'), ...validation('validation', 'loss')],
      },
      {
        title: 'Accuracy and macro-F1',
        xLabel: 'epoch',
        yLabel: 'share',
        series: [
          series('training accuracy', 'train', 'inte', 'accuracy'),
          ...validation('accuracy', 'accuracy'),
          ...validation('macro-F1', 'macro_f1').slice(0, 1),
        ],
      },
      {
        title: 'Learning rate',
        xLabel: 'epoch',
        yLabel: 'learning rate',
        series: [series('learning rate', 'train', 'inte', 'learning_rate')],
      },
    ]);
  }
}

function parseRow(names: readonly string[], cells: readonly string[]): MetricsRow {
  const cell = (name: string) => cells[names.indexOf(name)] ?? '';
  const [split, output] = TEXTS.map(cell);
  const row: MetricsRow = { epoch: 0, step: 0, split: split === 'train' ? 'train' : 'val', output: output ?? '' };
  for (const name of NUMBERS) if (cell(name) !== '') row[name] = Number(cell(name));
  return row;
}
