import type { InferReport } from './infer-protocol.js';
import type { MeasuredCase, RivalReport } from './infer-rival-protocol.js';
import type { Figure, SuiteOutcome } from './report/schema.js';
import { measured, type Summary } from './statistics.js';

/** The report in the form of every suite. @param rival null when PyTorch was not measured */
export function inferOutcome(report: InferReport | null, rival: RivalReport | null): SuiteOutcome {
  const parts = [rival === null ? null : rivalOutcome(rival), report === null ? null : bundleOutcome(report)];
  const found = parts.filter((part) => part !== null);
  return {
    figures: found.flatMap(({ figures }) => figures),
    notes: found.flatMap(({ notes }) => notes),
    tables: found.flatMap(({ tables }) => tables),
    charts: found.flatMap(({ charts }) => charts),
    details: { bundle: report, reference: rival },
  };
}

type Part = Omit<SuiteOutcome, 'details'>;

function rivalOutcome({ threads, repeats, cases }: RivalReport): Part {
  const milliseconds = ({ median, min, max, low, high }: Summary): Summary => ({
    ...{ median: 1000 * median, min: 1000 * min, max: 1000 * max, low: 1000 * low, high: 1000 * high },
  });
  return {
    figures: cases.map(
      (found): Figure => ({
        ...{ name: nameOf(found), unit: 'ms', better: 'lower' },
        ...measured(milliseconds(found.ours)),
        rival: { name: 'PyTorch, eager', ...measured(milliseconds(found.pytorch)) },
        ratio: found.pytorch.median / found.ours.median,
      }),
    ),
    notes: [
      `The networks of the reference (speech B4, face B0, text 12 layers, multimodal) with random weights on the CPU, ${threads} threads a side, ${repeats} passes of each in turn; PyTorch with its allocator tuned.`,
    ],
    tables: [],
    charts: [],
  };
}

function nameOf({ network, clips, frames }: MeasuredCase): string {
  const faces = network === 'face' || network === 'multimodal' ? ` of ${frames} frames` : '';
  return `reference ${network}, ${clips} clip${clips === 1 ? '' : 's'}${faces}`;
}

function bundleOutcome({ model, device, fallback, threads, clip, repeats, measurements }: InferReport): Part {
  const batches = [...new Set(measurements.map(({ batch }) => batch))];
  const graphs = [...new Set(measurements.map(({ graph }) => graph))];
  return {
    figures: measurements.map(({ graph, batch, milliseconds }) => ({
      ...{ name: `${model.name}: ${graph}, batch ${batch}`, unit: 'ms', better: 'lower' },
      ...measured(milliseconds),
    })),
    notes: [
      `${model.name} ${model.version} on ${device}, ${threads} threads, ${repeats} runs of each. A clip: ${clip.melFrames} mel frames, ${clip.faceFrames} faces of ${clip.faceSize} x ${clip.faceSize}, ${clip.words} words.`,
      ...(fallback === undefined ? [] : [fallback]),
    ],
    tables: [
      {
        title: `Networks of the bundle ${model.name}, without preprocessing`,
        header: ['network', 'batch', 'p50 ms', 'p99 ms', 'clips/s'],
        rows: measurements.map(({ graph, batch, milliseconds, p99, clipsPerSecond }) => [
          ...[graph, String(batch), milliseconds.median.toFixed(2), p99.toFixed(2), clipsPerSecond.toFixed(1)],
        ]),
        notes: [],
      },
    ],
    charts: [
      {
        kind: 'bars',
        name: 'throughput',
        title: `Clips a second of each network of ${model.name}`,
        xLabel: 'clips/s',
        series: batches.map((batch) => `batch ${batch}`),
        // The fusion alone takes so little that beside it no other bar would be seen.
        groups: graphs
          .filter((name) => name !== 'fusion')
          .map((name) => ({
            name,
            values: batches.map((batch) => {
              const found = measurements.find((entry) => entry.graph === name && entry.batch === batch);
              return found ? { value: found.clipsPerSecond } : null;
            }),
          })),
      },
    ],
  };
}
