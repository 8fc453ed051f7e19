import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMOTIONS } from '../../../common/labels.js';
import { assignFolds, type FoldClip } from '../../../export/calibration/folds.js';

const COUNT = 5;

const clip = fc
  .record({
    speaker: fc.option(fc.constantFrom('ann', 'ben', 'cho', 'dia', 'eli', 'fay', 'gus')),
    inte: fc.constantFrom(...EMOTIONS),
  })
  .map(({ speaker, inte }): FoldClip => ({ speaker, labels: { inte, face: inte, speech: inte } }));
const corpus = fc.array(clip, { minLength: 1, maxLength: 80 });

describe('folds', () => {
  test('are one a clip, and the same for the same seed', () => {
    fc.assert(
      fc.property(corpus, fc.integer(), (clips, seed) => {
        const folds = assignFolds(clips, COUNT, seed);
        expect(folds).toHaveLength(clips.length);
        for (const fold of folds) expect([0, 1, 2, 3, 4]).toContain(fold);
        expect(assignFolds(clips, COUNT, seed)).toEqual(folds);
      }),
      { seed: 1 },
    );
  });

  test('have nobody in two of them where there are several speakers', () => {
    fc.assert(
      fc.property(corpus, fc.integer(), (clips, seed) => {
        const speakers = new Set(clips.flatMap(({ speaker }) => (speaker === null ? [] : [speaker])));
        fc.pre(speakers.size > 1);
        const folds = assignFolds(clips, COUNT, seed);
        for (const speaker of speakers) {
          expect(new Set(folds.filter((_, index) => clips[index]!.speaker === speaker)).size).toBe(1);
        }
      }),
      { seed: 1 },
    );
  });

  test.each([null, 'ann'])('are of about the same size and classes where the speaker is always %s', (speaker) => {
    const clips = Array.from({ length: 140 }, (_, index): FoldClip => {
      const inte = EMOTIONS[index % 7]!;
      return { speaker, labels: { inte, face: inte, speech: inte } };
    });
    const folds = assignFolds(clips, COUNT, 3);
    for (let fold = 0; fold < COUNT; fold++) {
      for (const emotion of EMOTIONS) {
        const own = [...clips.keys()].filter((c) => folds[c] === fold && clips[c]!.labels?.inte === emotion);
        expect(own).toHaveLength(4);
        // A block: nothing of the class lies between.
        expect(own.at(-1)! - own[0]!).toBe(3 * 7);
      }
    }
  });
});
