import { type ExportReport, OPENINGS, type Timing } from './export-protocol.js';
import type { Figure, SuiteOutcome } from './report/schema.js';
import { measured } from './statistics.js';

/** The report in the form of every suite. */
export function exportOutcome(report: ExportReport): SuiteOutcome {
  const { threads, repeats } = report;
  return {
    figures: report.cases.flatMap(figuresOf),
    notes: [
      `ONNX Runtime on the CPU, ${threads} threads, at least ${repeats} runs of each in turn, the sessions opened anew ${OPENINGS} times; the ` +
        'same random weights and clips for both.',
      'torch: torch.onnx.export(dynamo=False) at opset 17, a file of its own for each batch size. Both take faces as bytes and ' +
        'normalise them in the graph.',
    ],
    tables: [
      {
        title: 'Exported files',
        header: ['network', 'nodes ours', 'torch', 'MB ours', 'torch', 'size ratio'],
        rows: report.cases.map(({ name, network, nodes, bytes }) => [
          `${name}: ${network}`,
          ...[nodes.ours, nodes.torch].map(String),
          ...[bytes.ours, bytes.torch].map((value) => (value / 1e6).toFixed(2)),
          (bytes.ours / bytes.torch).toFixed(3),
        ]),
        notes: ['ratios: ours / torch.'],
      },
      {
        title: 'One run',
        header: ['network', 'batch', 'ours ms', 'torch ms', 'time ratio', 'largest difference of a logit'],
        rows: report.cases.flatMap(({ name, timings }) => timings.map((timing) => row(name, timing))),
        notes: ['time ratio: the median over the turns of ours / torch.'],
      },
    ],
    charts: [],
    details: report,
  };
}

function row(name: string, { batch, ours, torch, ratio, difference }: Timing): string[] {
  const milliseconds = ({ median }: Timing['ours']) => (1000 * median).toFixed(1);
  return [name, String(batch), milliseconds(ours), milliseconds(torch), ratio.toFixed(3), difference.toExponential(1)];
}

function figuresOf({ name, bytes, nodes, timings }: ExportReport['cases'][number]): Figure[] {
  const plain = (of: string, unit: string, own: number, other: number): Figure => ({
    ...{ name: `${name}: ${of}`, unit, better: 'lower', value: own },
    rival: { name: 'torch', value: other },
    ratio: other / own,
  });
  return [
    plain('file', 'MB', bytes.ours / 1e6, bytes.torch / 1e6),
    plain('nodes', 'nodes', nodes.ours, nodes.torch),
    ...timings.map(
      ({ batch, ours, torch, ratio }): Figure => ({
        ...{ name: `${name}: run, batch ${batch}`, unit: 's', better: 'lower', ...measured(ours) },
        rival: { name: 'torch', ...measured(torch) },
        ratio: 1 / ratio,
      }),
    ),
  ];
}
