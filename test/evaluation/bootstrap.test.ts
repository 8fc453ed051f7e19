import { describe, expect, test } from 'vitest';
import { bootstrapIntervals, drawsSpeakers, type ScoredLabel } from '../../evaluation/bootstrap.js';
import { groupNames, groupOf } from '../../evaluation/groups.js';
import type { ClipRecord } from '../../preprocessing/features.js';

/** A clip that is answered `hap`, rightly or not. */
function clip(right: boolean, speaker: string | null = null): ScoredLabel {
  return { probabilities: [0.7, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05], label: right ? 0 : 1, speaker };
}

const width = ([low, high]: [number, number]) => high - low;

describe('bootstrap intervals', () => {
  test('are as wide as the normal approximation of a share', () => {
    const clips = Array.from({ length: 400 }, (_, i) => clip(i % 4 !== 0));
    const { accuracy } = bootstrapIntervals(clips, 1);
    const expected = 2 * 1.96 * Math.sqrt((0.75 * 0.25) / 400);
    // Quantiles of 1000 resamples scatter by some per cent.
    expect(width(accuracy) / expected).toBeGreaterThan(0.85);
    expect(width(accuracy) / expected).toBeLessThan(1.15);
    expect((accuracy[0] + accuracy[1]) / 2).toBeCloseTo(0.75, 1);
  });

  test('draw whole speakers where they are known: clips that resemble each other count once', () => {
    const clips = Array.from({ length: 200 }, (_, i) => clip(i % 20 < 10, `speaker ${i % 20}`));
    const alone = clips.map(({ speaker: _, ...rest }) => ({ ...rest, speaker: null }));
    expect([drawsSpeakers(clips), drawsSpeakers(alone)]).toEqual([true, false]);
    const ratio = width(bootstrapIntervals(clips, 1).accuracy) / width(bootstrapIntervals(alone, 1).accuracy);
    // 20 independent speakers instead of 200 independent clips: the square root of 10.
    expect(ratio).toBeGreaterThan(2.6);
    expect(ratio).toBeLessThan(3.8);
  });

  test('are the same for the same seed', () => {
    const clips = Array.from({ length: 50 }, (_, i) => clip(i % 3 === 0));
    expect(bootstrapIntervals(clips, 7, 100)).toEqual(bootstrapIntervals(clips, 7, 100));
    expect(bootstrapIntervals(clips, 7, 100)).not.toEqual(bootstrapIntervals(clips, 8, 100));
  });
});

describe('groups of clips', () => {
  const record = (duration: number) => ({ duration, speaker: null, labels: null }) as ClipRecord;

  test('by length are open on the left, and stand in the order of length', () => {
    const names = [7, 6.4, 0.5, 2, 2.1].map((duration) => groupOf(record(duration), 'length'));
    expect(names).toEqual(['over 6.4 s', '4 to 6.4 s', 'to 2 s', 'to 2 s', '2 to 4 s']);
    expect(groupNames('length', names)).toEqual(['to 2 s', '2 to 4 s', '4 to 6.4 s', 'over 6.4 s']);
  });

  test('by speaker stand in natural order', () => {
    expect(groupNames('speaker', ['10', '2', '10'])).toEqual(['2', '10']);
  });
});
