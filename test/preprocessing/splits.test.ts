import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMOTIONS } from '../../common/labels.js';
import type { ListedClip } from '../../preprocessing/corpus/formats/format.js';
import { assignSplits } from '../../preprocessing/corpus/splits.js';

const DEFAULTS = { seed: 1, valShare: 0.15, testShare: 0 };

function clip(index: number, about: Partial<ListedClip> = {}): ListedClip {
  const labels = { inte: EMOTIONS[index % 7]!, face: null, speech: null };
  const name = String(index);
  return { split: null, source: '.', stem: name, fileId: name, clip: name, labels, speaker: null, ...about };
}

/** Clips of 24 speakers, so many each. */
function spoken(each = 20): ListedClip[] {
  return Array.from({ length: 24 * each }, (_, i) => clip(i, { speaker: `actor${Math.floor(i / each)}` }));
}

function speakersOf(clips: readonly { split: string; speaker: string | null }[], split: string): Set<string | null> {
  return new Set(clips.filter((own) => own.split === split).map(({ speaker }) => speaker));
}

describe('a split by speaker', () => {
  it('has nobody on two sides, never an empty train or val, and the same clips', () => {
    const speakers = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(speakers, fc.integer(), fc.constantFrom(0, 0.1, 0.3), (owners, seed, testShare) => {
        fc.pre(new Set(owners).size > 2);
        const given = owners.map((owner, i) => clip(i, { speaker: `s${owner}` }));
        const { clips } = assignSplits(given, { seed, valShare: 0.2, testShare });
        expect(clips.map(({ stem }) => stem)).toEqual(given.map(({ stem }) => stem));
        const [train, val, test] = ['train', 'val', 'test'].map((split) => speakersOf(clips, split));
        expect(new Set([...train!, ...val!, ...test!]).size).toBe(train!.size + val!.size + test!.size);
        expect(Math.min(train!.size, val!.size)).toBeGreaterThan(0);
        expect(test!.size > 0).toBe(testShare > 0);
      }),
    );
  });

  it('is the same for the same seed and another one for another', () => {
    const of = (seed: number) => assignSplits(spoken(), { ...DEFAULTS, seed }).clips.map(({ split }) => split);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });

  it('has about the wanted shares and the same classes', () => {
    const { clips, mode } = assignSplits(spoken(), { seed: 5, valShare: 0.15, testShare: 0.1 });
    const share = (split: string) => clips.filter((own) => own.split === split).length / clips.length;
    expect(mode).toBe('speaker');
    // 24 speakers of one size: the nearest shares are 4/24 and 2/24.
    expect(share('val')).toBeCloseTo(4 / 24, 9);
    expect(share('test')).toBeCloseTo(2 / 24, 9);
    for (const emotion of EMOTIONS) {
      const own = clips.filter(({ split, labels }) => split === 'val' && labels?.inte === emotion).length;
      expect(own / (share('val') * clips.length)).toBeGreaterThan(0.1);
    }
  });

  it('takes contiguous blocks of each class where nobody says who speaks, and says so', () => {
    const { clips, notes } = assignSplits(
      Array.from({ length: 140 }, (_, i) => clip(i)),
      { ...DEFAULTS, valShare: 0.2 },
    );
    for (const emotion of EMOTIONS) {
      const own = clips.filter(({ labels }) => labels?.inte === emotion);
      const at = own.flatMap(({ split }, index) => (split === 'val' ? [index] : []));
      expect(at).toHaveLength(4);
      expect(at.at(-1)! - at[0]!).toBe(3);
    }
    expect(notes).toContainEqual(expect.stringContaining('contiguous blocks'));
  });

  it('warns when there is but one speaker', () => {
    const { warnings } = assignSplits(
      Array.from({ length: 70 }, (_, i) => clip(i, { speaker: 'kim' })),
      DEFAULTS,
    );
    expect(warnings).toContainEqual(expect.stringContaining('all clips are of one speaker'));
  });
});

describe('the split of a corpus', () => {
  const given = () => spoken(2).map((own, i) => ({ ...own, split: i % 4 ? ('train' as const) : ('val' as const) }));

  it('is kept, unless another one is asked for', () => {
    expect(assignSplits(given(), DEFAULTS)).toMatchObject({ mode: 'given', clips: given() });
    const { clips, mode } = assignSplits(given(), { ...DEFAULTS, mode: 'speaker' });
    expect(mode).toBe('speaker');
    const train = speakersOf(clips, 'train');
    expect([...speakersOf(clips, 'val')].filter((speaker) => train.has(speaker))).toEqual([]);
  });

  it('keeps clips without labels where they are', () => {
    const test = clip(999, { labels: null, split: 'test_merc' });
    const { clips } = assignSplits([...spoken(1), test], { ...DEFAULTS, mode: 'random' });
    expect(clips.at(-1)).toMatchObject({ split: 'test_merc' });
  });

  it('may name the test clips only: the others are split by speaker', () => {
    const test = clip(999, { split: 'test', speaker: 'actor99' });
    const { clips, mode } = assignSplits([...spoken(2), test], DEFAULTS);
    expect(mode).toBe('speaker');
    expect(clips.filter(({ split }) => split === 'test')).toHaveLength(1);
    expect(speakersOf(clips, 'val').size).toBeGreaterThan(0);
  });

  it('is random only when asked, with a warning that it leaks speakers', () => {
    const { clips, mode, warnings } = assignSplits(spoken(), { ...DEFAULTS, mode: 'random' });
    expect(mode).toBe('random');
    expect(clips.filter(({ split }) => split === 'val')).toHaveLength(72);
    expect(warnings[0]).toMatch(/puts the same people into train and val.*\.60 instead of \.44/);
  });

  it('is bad_argument when given is asked and there is none, or shares leave nothing to train on', () => {
    const refused = (options: Parameters<typeof assignSplits>[1]) => () => assignSplits(spoken(1), options);
    expect(refused({ ...DEFAULTS, mode: 'given' })).toThrow(/no split to 24 clips/);
    expect(refused({ ...DEFAULTS, valShare: 0.6, testShare: 0.4 })).toThrow(/leave nothing to train on/);
  });
});
