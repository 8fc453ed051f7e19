import type { Figure, ReportTable, SuiteOutcome } from '../report/schema.js';
import { measured } from '../statistics.js';
import type { GpuReport } from './gpu-protocol.js';

/** What stands on every line of a run that no GPU took part in. */
export const UNPROVEN = 'unproven on a GPU';

/** The report in the form of every suite. Without a GPU every line of it says that it proves nothing about one. */
export function gpuOutcome(report: GpuReport): SuiteOutcome {
  const outcome: SuiteOutcome = {
    figures: figures(report),
    notes: [
      `${report.gpu ?? 'Dry run on the processor'}; ${report.cores} cores; ${report.repeats} runs of each.`,
      ...(report.torchNote === null ? [] : [report.torchNote]),
    ],
    tables: [networks(report), faces(report), endToEnd(report)],
    charts: [
      {
        kind: 'curves',
        name: 'workers',
        title: 'Clips from file to answer by preprocessing processes',
        panels: [
          {
            title: 'Throughput',
            xLabel: 'preprocessing processes',
            yLabel: 'clips/s',
            series: precisionsOf(report).map((precision) => ({
              name: precision,
              points: report.endToEnd
                .filter((entry) => entry.precision === precision)
                .map(({ workers, clipsPerSecond }) => [workers, clipsPerSecond]),
            })),
          },
        ],
      },
    ],
    details: report,
  };
  return report.gpu === null ? unproven(outcome) : outcome;
}

function precisionsOf({ networks }: GpuReport) {
  return networks.map(({ precision }) => precision);
}

function figures({ networks, faces, endToEnd }: GpuReport): Figure[] {
  return [
    ...networks.flatMap(({ precision, report }) =>
      report.measurements.map(
        ({ graph, batch, milliseconds }): Figure => ({
          ...{ name: `${graph}, ${precision}, batch ${batch}`, unit: 'ms', better: 'lower' },
          ...measured(milliseconds),
        }),
      ),
    ),
    ...faces.map(
      ({ device, picture, milliseconds }): Figure => ({
        ...{ name: `MTCNN on ${device}, ${picture}`, unit: 'ms', better: 'lower' },
        ...measured(milliseconds),
      }),
    ),
    ...endToEnd.map(
      ({ precision, workers, clipsPerSecond }): Figure => ({
        ...{ name: `clips to answers, ${precision}, ${workers} preprocessing`, unit: 'clips/s', better: 'higher' },
        value: clipsPerSecond,
      }),
    ),
  ];
}

function networks({ networks, torch }: GpuReport): ReportTable {
  const row = (...cells: [string, string, string, number, number, number]) => {
    const [network, side, precision, batch, p50, p99] = cells;
    const rate = ((1000 * batch) / p50).toFixed(1);
    return [network, side, precision, String(batch), p50.toFixed(2), p99.toFixed(2), rate];
  };
  return {
    title: 'Networks, without preprocessing',
    header: ['network', 'side', 'precision', 'batch', 'p50 ms', 'p99 ms', 'clips/s'],
    rows: [
      ...networks.flatMap(({ precision, report: { measurements } }) =>
        measurements.map(({ graph, batch, milliseconds, p99 }) =>
          row(graph, 'ours', precision, batch, milliseconds.median, p99),
        ),
      ),
      ...torch.map(({ graph, mode, precision, batch, p50, p99 }) =>
        row(graph, `PyTorch, ${mode}`, precision, batch, p50, p99),
      ),
    ],
    notes: [
      'Inputs come from and results go to the memory of the processor on all sides. PyTorch: AttnCNN-B4, CLSTM-B0 and a Transformer of 12 layers, whatever the bundle has; its pictures travel as floats, ours as bytes.',
    ],
  };
}

function faces({ faces }: GpuReport): ReportTable {
  return {
    title: 'MTCNN alone',
    header: ['device', 'picture', 'pictures', 'p50 ms', 'p99 ms', 'pictures/s'],
    rows: faces.map(({ device, picture, pictures, milliseconds, p99 }) => [
      ...[device, picture, String(pictures), milliseconds.median.toFixed(2), p99.toFixed(2)],
      (1000 / milliseconds.median).toFixed(1),
    ]),
    notes: ['The whole cascade on one picture after the other, on one thread, faces from 20 pixels on.'],
  };
}

function endToEnd({ endToEnd, cores }: GpuReport): ReportTable {
  return {
    title: 'Clips from file to answer',
    header: ['precision', 'preprocessing processes', 'clips', 'clips/s'],
    rows: endToEnd.map(({ precision, workers, clips, clipsPerSecond }) => [
      ...[precision, String(workers), String(clips), clipsPerSecond.toFixed(2)],
    ]),
    notes: [`Decoding, audio and faces on ${cores} cores, the networks on the device.`],
  };
}

/** Marks every line, so that none can be quoted as a figure of a GPU. */
function unproven(outcome: SuiteOutcome): SuiteOutcome {
  const mark = (text: string) => `${text} (${UNPROVEN})`;
  return {
    ...outcome,
    figures: outcome.figures.map((figure) => ({ ...figure, name: mark(figure.name) })),
    notes: outcome.notes.map(mark),
    tables: outcome.tables.map(({ title, header, rows, notes }) => ({
      title: mark(title),
      header: [...header, UNPROVEN],
      rows: rows.map((row) => [...row, UNPROVEN]),
      notes: notes.map(mark),
    })),
    charts: outcome.charts.map((chart) => ({ ...chart, title: mark(chart.title) })),
    caveat: UNPROVEN,
  };
}
