import type { Emotion } from '../../common/labels.js';
import { EMOTIONS } from '../../common/labels.js';
import { Random } from '../../common/random.js';

/** Dimension of the word vectors, that of the real corpus. */
export const WORD_DIM = 200;

const CARRIERS = (
  'the a and so it that this we you they was is then there when here with from after before about today morning ' +
  'yesterday street table window train phone letter door coffee people house city work room bag road'
).split(' ');

const EMOTIONAL: Record<Emotion, readonly string[]> = {
  hap: 'wonderful laughed lovely celebrate sunshine delighted hugged winning smiled joyful'.split(' '),
  ang: 'furious shouted unfair slammed insult outrage hate threatened blame rude'.split(' '),
  dis: 'rotten filthy stench vomit mould slimy gross nauseous garbage spit'.split(' '),
  fea: 'terrified hide danger trembling scream dark threat panic escape nightmare'.split(' '),
  sad: 'cried lonely funeral goodbye lost grief tears empty miss regret'.split(' '),
  neu: 'ordinary schedule report usual minutes form number office twelve average'.split(' '),
  sur: 'suddenly unbelievable astonishing unexpected wow incredible shocked amazing what miracle'.split(' '),
};

/** Words of one meaning lie together in word2vec: how much of a vector is its emotion's, and how much its own. */
const SHARED = 0.75;
const OWN = 0.66;
/** Standard deviation of a component, as in word2vec vectors of this dimension: norms of about 3. */
const COMPONENT = 0.2;
/** The words' vectors do not depend on a corpus's seed: like real word vectors they are the same for every corpus. */
const LEXICON_SEED = 1301;

const EMOTION_OF = new Map(EMOTIONS.flatMap((emotion) => EMOTIONAL[emotion].map((word) => [word, emotion] as const)));

/** The vector of a word of the lexicon, WORD_DIM components. */
export function wordVector(word: string): Float32Array {
  const emotion = EMOTION_OF.get(word);
  const own = Random.for(LEXICON_SEED, 'word', word);
  const shared = emotion && Random.for(LEXICON_SEED, 'emotion', emotion);
  return Float32Array.from({ length: WORD_DIM }, () =>
    shared ? COMPONENT * (SHARED * shared.normal() + OWN * own.normal()) : COMPONENT * own.normal(),
  );
}

/**
 * A bag of 4 to 14 words: a fifth to two fifths carry the emotion, mostly one carries another, the rest none.
 * It is no sentence that a person would say.
 */
export function drawSentence(emotion: Emotion, random: Random): string[] {
  const length = 4 + random.integer(11);
  const telling = Math.max(1, Math.round(length * random.between(0.2, 0.4)));
  const words = Array.from({ length: telling }, () => random.pick(EMOTIONAL[emotion]));
  if (random.uniform() < 0.8) words.push(random.pick(EMOTIONAL[random.pick(EMOTIONS)]));
  while (words.length < length) words.push(random.pick(CARRIERS));
  return random.permutation(words.length).map((index) => words[index] ?? '');
}
