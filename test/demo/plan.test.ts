import { describe, expect, it } from 'vitest';
import { EMOTIONS, type Emotion } from '../../common/labels.js';
import { AGREEMENT, DEMO_SETS, MIN_CLIPS, planCorpus, setSizes } from '../../demo/data/plan.js';

const plans = planCorpus(700, 5);
const bySet = DEMO_SETS.map((set) => plans.filter((plan) => plan.set === set));

describe('the plan of a demo corpus', () => {
  it('gives every set a clip and loses none, whatever the number of clips', () => {
    for (let clips = MIN_CLIPS; clips < 500; clips++) {
      const sizes = setSizes(clips);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(clips);
    }
  });

  it('puts about 62 % of the clips into train and 30 % into val', () => {
    const [train, val] = setSizes(400);
    expect([train, val]).toEqual([248, 120]);
  });

  it('numbers the clips through, with five digits', () => {
    expect(plans.map(({ fileId }) => fileId)).toEqual(plans.map((_, index) => String(index + 1).padStart(5, '0')));
  });

  it('lets FileIDs run speaker by speaker', () => {
    const speakers = plans.map(({ speaker }) => speaker);
    expect(speakers).toEqual([...speakers].sort((a, b) => a - b));
  });

  it('has no speaker in two sets', () => {
    const owners = new Map<number, string>();
    for (const { speaker, set } of plans) {
      expect(owners.get(speaker) ?? set.name).toBe(set.name);
      owners.set(speaker, set.name);
    }
    expect(bySet.slice(0, 2).map((own) => new Set(own.map(({ speaker }) => speaker)).size)).toEqual([18, 9]);
  });

  it('balances the integrated labels of every set to within one clip', () => {
    for (const own of bySet) {
      const counts = EMOTIONS.map((emotion) => own.filter(({ labels }) => labels.inte === emotion).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  it.each(['face', 'speech', 'text'] as const)(
    'lets %s disagree with the integrated label at the stated rate',
    (key) => {
      for (const own of bySet) {
        const agreeing = own.filter(({ labels }) => labels[key] === labels.inte).length;
        expect(Math.abs(agreeing - AGREEMENT * own.length)).toBeLessThanOrEqual(0.5);
      }
    },
  );

  it('lets the modalities disagree independently of each other', () => {
    const agrees = (a: Emotion, b: Emotion) => (a === b ? 1 : 0);
    const both = plans.filter(({ labels }) => agrees(labels.face, labels.inte) && agrees(labels.speech, labels.inte));
    // Three standard deviations of a binomial share of 700 clips: 0.056.
    expect(Math.abs(both.length / plans.length - AGREEMENT ** 2)).toBeLessThan(0.056);
  });

  it('follows from the seed', () => {
    const labels = (seed: number) => planCorpus(50, seed).map((plan) => plan.labels);
    expect(labels(1)).toEqual(labels(1));
    expect(labels(1)).not.toEqual(labels(2));
  });
});
