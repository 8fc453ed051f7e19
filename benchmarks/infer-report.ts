import type { InferReport } from './infer-protocol.js';
import type { SuiteOutcome } from './report/schema.js';
import { measured } from './statistics.js';

/** The report in the form of every suite. */
export function inferOutcome(report: InferReport): SuiteOutcome {
  const { model, device, fallback, threads, clip, repeats, measurements } = report;
  const batches = [...new Set(measurements.map(({ batch }) => batch))];
  const graphs = [...new Set(measurements.map(({ graph }) => graph))];
  return {
    figures: measurements.map(({ graph, batch, milliseconds }) => ({
      ...{ name: `${graph}, batch ${batch}`, unit: 'ms', better: 'lower' },
      ...measured(milliseconds),
    })),
    notes: [
      `${model.name} ${model.version} on ${device}, ${threads} threads, ${repeats} runs of each. A clip: ${clip.melFrames} mel frames, ${clip.faceFrames} faces of ${clip.faceSize} x ${clip.faceSize}, ${clip.words} words.`,
      ...(fallback === undefined ? [] : [fallback]),
    ],
    tables: [
      {
        title: 'Networks of the bundle, without preprocessing',
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
        title: 'Clips a second of each network',
        xLabel: 'clips/s',
        series: batches.map((batch) => `batch ${batch}`),
        groups: graphs.map((name) => ({
          name,
          values: batches.map((batch) => {
            const found = measurements.find((entry) => entry.graph === name && entry.batch === batch);
            return found ? { value: found.clipsPerSecond } : null;
          }),
        })),
      },
    ],
    details: report,
  };
}
