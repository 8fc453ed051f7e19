import { type Command, InvalidArgumentError } from 'commander';
import { MAX_OUT_OF_VOCABULARY } from '../preprocessing/words/transcript.js';

/** The flags of every command that looks words up in a table. */
export interface WordFlags {
  word_vectors?: string;
  max_oov: number;
}

export function addWordFlags(command: Command): Command {
  return command
    .option('--word_vectors <file>', 'table for the words of transcripts: word2vec, fastText .vec or GloVe .txt')
    .option(
      '--max_oov <share>',
      'words count as missing when the table lacks more than this share of them',
      share,
      MAX_OUT_OF_VOCABULARY,
    );
}

/** The flags as an option of preprocessing and of the engine. */
export function wordTableOption({ word_vectors: file, max_oov: maxOutOfVocabulary }: WordFlags): {
  wordTable?: { file: string; maxOutOfVocabulary: number };
} {
  return file === undefined ? {} : { wordTable: { file, maxOutOfVocabulary } };
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('It is not a share from 0 to 1.');
  return value;
}
