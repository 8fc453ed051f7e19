import type { Bundle } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import type { ClipFeatures, ClipRecord } from '../preprocessing/features.js';
import { requireSameTable } from '../preprocessing/words/same-table.js';

/** @throws MerError bad_argument, naming both sides, when features and bundle differ in mode or word table */
export function requireMatch(records: readonly ClipRecord[], { name, compat, preprocessing }: Bundle): void {
  for (const { stem, compat: mode, text } of records) {
    if (mode !== compat) {
      throw new MerError(
        'bad_argument',
        `The features of ${stem} are of compat ${mode}, the bundle ${name} is of compat ${compat}.`,
        'Preprocess the clips again with the mode of the bundle.',
      );
    }
    if (text.status !== 'used') continue;
    requireSameTable(
      { of: `clip ${stem}`, table: text.table },
      { of: `the bundle ${name}`, table: preprocessing.wordTable },
      'Preprocess the clips again with the word vectors of the training.',
    );
  }
}

/**
 * Networks may answer a value that is no number with scores that look sound.
 *
 * @throws MerError bad_file naming the clip and the modality
 */
export function requireNumbers({ speech, text }: ClipFeatures, name: string): void {
  for (const [modality, value] of Object.entries({ speech, text })) {
    if (value.status !== 'used' || value.data.every(Number.isFinite)) continue;
    throw new MerError(
      'bad_file',
      `The ${modality} features of ${name} hold values that are no numbers.`,
      'Preprocess the clip again, or look at its word vectors.',
    );
  }
}
