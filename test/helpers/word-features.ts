import path from 'node:path';
import { PREPROCESSING_VERSION } from '../../common/bundle.js';
import type { Emotion } from '../../common/labels.js';
import { sentenceOf } from '../../demo/data/make-clip.js';
import { planCorpus } from '../../demo/data/plan.js';
import { WORD_DIM, wordVector } from '../../demo/data/words.js';
import { saveClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import type { TrainConfig } from '../../training/config.js';
import { parseTrainConfig } from '../../training/parse-config.js';

const absent = { status: 'missing', reason: 'this test needs words only' } as const;

/**
 * Features of the demo corpus with its words alone: quick to make, real to learn from.
 * @param label gives a clip's label in place of its own
 * @param table the word-vector table that a split's words are of; null: they were given
 */
export async function makeWordFeatures(
  directory: string,
  clips: number,
  seed: number,
  label: (own: Emotion, index: number) => Emotion = (own) => own,
  table: (split: 'train' | 'val') => string | null = () => null,
): Promise<void> {
  for (const [index, plan] of planCorpus(clips, seed).entries()) {
    if (plan.set.name !== 'train' && plan.set.name !== 'val') continue;
    const sentence = sentenceOf(plan, seed);
    const data = new Float32Array(sentence.length * WORD_DIM);
    for (const [i, word] of sentence.entries()) data.set(wordVector(word), i * WORD_DIM);
    const inte = label(plan.labels.inte, index);
    const source = table(plan.set.name);
    await saveClipFeatures(
      directory,
      plan.set.name,
      {
        speech: absent,
        face: absent,
        text: { status: 'used', data, words: sentence.length, dim: WORD_DIM },
        duration: 2,
        span: { start: 0, end: 2 },
      },
      {
        version: PREPROCESSING_VERSION,
        compat: 'default',
        maxFrames: 32,
        inputs: 'test',
        stem: plan.fileId,
        fileId: plan.fileId,
        source: plan.set.folder,
        speaker: null,
        labels: { ...plan.labels, inte },
      },
      { vocabulary: source === null ? null : { table: source, outOfVocabulary: 0 } },
    );
  }
}

/** A quick run on the words in `directory`/features, logged to `directory`/logs. */
export function wordRun(directory: string, name: string, flags: Record<string, unknown>): TrainConfig {
  return parseTrainConfig({
    mode: 'text',
    exp_name: name,
    features: path.join(directory, 'features'),
    logs: path.join(directory, 'logs'),
    text_layers: 1,
    optim: 'adamw',
    learning_rate: 1e-3,
    batch_size: 16,
    num_workers: 0,
    ...flags,
  });
}
