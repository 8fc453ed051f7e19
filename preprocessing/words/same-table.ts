import { MerError } from '../../common/errors.js';

/** Something whose words come from a table, or from vectors that were given as files. */
export interface WordSource {
  /** What it is, as it stands in a message: `the bundle demo`. */
  of: string;
  /** sha256 of the table; null for given vectors, whose table nobody knows. */
  table: string | null;
}

/**
 * Vectors of different tables have nothing to do with each other, whatever their dimension.
 *
 * @throws MerError bad_argument naming both sides when they differ
 */
export function requireSameTable(one: WordSource, other: WordSource, remedy: string): void {
  if (one.table === other.table) return;
  throw new MerError(
    'bad_argument',
    `The words of ${one.of} are ${describe(one.table)}, those of ${other.of} are ${describe(other.table)}.`,
    remedy,
  );
}

function describe(table: string | null): string {
  return table === null ? 'vectors that were given as files' : `of the word-vector table with sha256 ${table}`;
}
