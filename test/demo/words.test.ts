import { describe, expect, it } from 'vitest';
import { EMOTIONS } from '../../common/labels.js';
import { argmax } from '../../common/metrics.js';
import { Random } from '../../common/random.js';
import { drawSentence, WORD_DIM, wordVector } from '../../demo/data/words.js';

function meanVector(words: readonly string[]): number[] {
  const vectors = words.map(wordVector);
  return Array.from({ length: WORD_DIM }, (_, i) => vectors.reduce((sum, v) => sum + v[i]! / vectors.length, 0));
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe('the words of a demo clip', () => {
  it('are 4 to 14', () => {
    const random = new Random(1);
    const lengths = Array.from({ length: 500 }, () => drawSentence('hap', random).length);
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([4, 14]);
  });

  it('have vectors as long as those of word2vec: a norm of 2 to 4', () => {
    const random = new Random(2);
    for (const word of EMOTIONS.flatMap((emotion) => drawSentence(emotion, random))) {
      const norm = Math.hypot(...wordVector(word));
      expect(norm).toBeGreaterThan(2);
      expect(norm).toBeLessThan(4);
    }
  });

  it('tell the emotion of most sentences, and not of all', () => {
    const random = new Random(3);
    const centres = EMOTIONS.map((emotion) =>
      meanVector(Array.from({ length: 40 }, () => drawSentence(emotion, random)).flat()),
    );
    const trials = EMOTIONS.flatMap((_, label) => Array.from({ length: 60 }, () => label));
    const hits = trials.filter((label) => {
      const vector = meanVector(drawSentence(EMOTIONS[label]!, random));
      return argmax(centres.map((centre) => dot(vector, centre))) === label;
    });
    expect(hits.length / trials.length).toBeGreaterThan(0.8);
    expect(hits.length / trials.length).toBeLessThan(1);
  });
});
