import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { countMacs } from '../../benchmarks/mtcnn-operations.js';
import { checkGolden, checkSeconds } from '../../benchmarks/preprocess-fairness.js';
import type { ReferenceClip } from '../../benchmarks/preprocess-protocol.js';
import { preprocessOutcome } from '../../benchmarks/preprocess-report.js';
import { peakMemory } from '../../benchmarks/process-tree.js';
import { suiteText } from '../../benchmarks/report/render.js';
import { median, quantile } from '../../benchmarks/statistics.js';
import { suiteReport } from '../helpers/suite-report.js';

const stages = { sound: 0, audio: 0, pictures: 0, detection: 0, crops: 0 };
const empty: ReferenceClip = { seconds: 1, stages, trim: [0, 1], melFrames: 1, crops: 0, detections: [] };

const ours = {
  seconds: { median: 0.5, min: 0.4, max: 0.6, low: 0.45, high: 0.55 },
  peakMemory: 4e8,
  stages: {},
  crops: 32,
  macs: { pnet: 1e9, rnet: 0, onet: 0 },
  bytes: 4.9e6,
  floor: { decode: 0.1, nets: 0.15 },
};
const reference = {
  seconds: { median: 5, min: 4, max: 6, low: 4.5, high: 5.5 },
  peakMemory: 2e9,
  stages: {},
  crops: 285,
};

function report(unfair: string[]) {
  const ratios = unfair.length > 0 ? { faster: null, smaller: null } : { faster: 10, smaller: 5 };
  const clip = {
    clip: 'a.mp4',
    width: 1280,
    height: 720,
    duration: 5,
    reference,
    corpus: { default: 0.36, seed: 1.8, reference: 3.6 },
  };
  return {
    machine: { cpu: 'a processor', cores: 2, node: 'v20' },
    ...{ threads: 2, repeats: 5, matrixRate: 1e11, othersShare: 0.01, unfair },
    clips: [{ ...clip, default: { ...ours, ...ratios }, seed: { ...ours, ...ratios } }],
  };
}

describe('the preprocessing benchmark', () => {
  it('gives ratios, the distance to the floor and the cost of the whole corpus', () => {
    const text = suiteText(suiteReport('preprocess', preprocessOutcome(report([]))));
    // 0.5 s over the floor's 0.25 s; 44 370 clips of 0.36 s and 4.9 MB.
    for (const expected of ['10.00x', '5.00x', '2.0', '4.4', '217'])
      expect(text).toMatch(new RegExp(`\\s${expected}\\b`));
  });

  it('claims no ratio against an unfair rival, and says why', () => {
    const text = suiteText(suiteReport('preprocess', preprocessOutcome(report(['the reference was slow']))));
    expect(text).toContain('No ratio is claimed: the reference was slow.');
    expect(text).not.toMatch(/\dx\b/);
  });

  it('finds a rival unfair that does other work than the reference', async () => {
    const wrong = await checkGolden('00003-sad-sad-sad.mp4', { ...empty, crops: 565 }, '');
    expect(wrong[0]).toBe('the reference script makes 565 crops instead of 566 of 00003-sad-sad-sad');
    expect(wrong.slice(1)).toHaveLength(4);
  });

  it('finds a rival unfair that takes longer than is known of it, on a machine of the known kind only', () => {
    const machine = { cpu: 'AMD EPYC', cores: 2, node: 'v20' };
    const clip = path.join('clips', '00002-ang-neu-ang.mp4');
    expect(checkSeconds('features', clip, 2.3, 2, machine)).toEqual([]);
    expect(checkSeconds('features', clip, 2.7, 2, machine)).toHaveLength(1);
    expect(checkSeconds('features', clip, 2.7, 2, { ...machine, cores: 64 })).toEqual([]);
  });
});

describe('what the benchmark measures by', () => {
  it('counts the multiply-accumulates of the nets', () => {
    // One cell of P-Net: maps of 10 x 10, 3 x 3 and 1 x 1 pixels.
    const cell = 100 * 10 * 27 + 9 * 16 * 90 + 32 * 144 + 32 * 6;
    expect(countMacs({ net: 'pnet', shape: [1, 3, 12, 12] })).toBe(cell);
    expect(countMacs({ net: 'rnet', shape: [7, 3, 24, 24] })).toBe(
      7 * countMacs({ net: 'rnet', shape: [1, 3, 24, 24] }),
    );
  });

  it('sees the memory that a process takes', async () => {
    const size = 300e6;
    const before = (await peakMemory(process.pid, async () => {})) ?? 0;
    const after = await peakMemory(process.pid, async () => Buffer.alloc(size, 1));
    // It may reuse some that it had.
    expect(after).toBeGreaterThan(Math.max(size, before));
  });

  it('takes the middle value', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), quantile([1, 2, 3, 4], 0.99)]).toEqual([2, 2.5, 4]);
  });
});
