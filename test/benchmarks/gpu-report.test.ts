import { describe, expect, it } from 'vitest';
import type { GpuReport } from '../../benchmarks/gpu/gpu-protocol.js';
import { gpuOutcome, UNPROVEN } from '../../benchmarks/gpu/gpu-report.js';
import { suiteText, tablesMarkdown } from '../../benchmarks/report/render.js';
import { outcomeSchema } from '../../benchmarks/report/schema.js';
import { suiteReport } from '../helpers/suite-report.js';

const milliseconds = { median: 2, min: 1, max: 3, low: 1.5, high: 2.5 };

const REPORT: GpuReport = {
  device: 'cpu',
  gpu: null,
  cores: 2,
  repeats: 5,
  networks: [
    {
      precision: 'fp32',
      report: {
        model: { name: 'tiny', version: '1' },
        device: 'cpu',
        threads: 2,
        clip: { melFrames: 400, faceFrames: 32, faceSize: 224, words: 12 },
        repeats: 5,
        measurements: [{ graph: 'speech', batch: 8, milliseconds, p99: 3, clipsPerSecond: 4000 }],
      },
    },
  ],
  faces: [{ device: 'cpu', picture: '640 x 360', pictures: 10, milliseconds, p99: 3 }],
  endToEnd: [{ precision: 'fp32', workers: 2, clips: 40, clipsPerSecond: 5 }],
  torch: [{ graph: 'speech', mode: 'eager', precision: 'fp32', batch: 8, p50: 4, p99: 5 }],
  torchNote: 'PyTorch was not measured to the end: no compiler.',
};

/** All that a reader sees, but for the rules of tables. */
function lines(outcome: ReturnType<typeof gpuOutcome>): string[] {
  const report = suiteReport('gpu', outcome);
  return [suiteText(report), tablesMarkdown(report)]
    .flatMap((text) => text.split('\n'))
    .filter((line) => /\w/.test(line));
}

describe('the report of `mer bench gpu`', () => {
  it('says on every line of a run without a GPU that it proves nothing about one', () => {
    const outcome = gpuOutcome(REPORT);
    expect(outcomeSchema.parse(outcome)).toEqual(outcome);
    for (const line of lines(outcome)) expect(line).toContain(UNPROVEN);
  });

  it('says nothing of the kind where a GPU ran', () => {
    const outcome = gpuOutcome({ ...REPORT, device: 'cuda:0', gpu: 'NVIDIA A100, 570.1, 40960 MiB' });
    for (const line of lines(outcome)) expect(line).not.toContain(UNPROVEN);
    expect(outcome.notes[0]).toContain('NVIDIA A100');
  });

  it('has PyTorch beside ours with clips a second of the same kind', () => {
    const rows = gpuOutcome(REPORT).tables[0]!.rows;
    expect(rows.map((row) => [row[1], row.at(-2)])).toEqual([
      ['ours', '4000.0'],
      ['PyTorch, eager', '2000.0'],
    ]);
  });
});
