import { MerError } from '../../../common/errors.js';
import { cremad } from './cremad.js';
import { folders } from './folders.js';
import { type CorpusFormat, FORMAT_NAMES, type FormatName } from './format.js';
import { manifest } from './manifest.js';
import { meld } from './meld.js';
import { merc } from './merc.js';
import { ravdess } from './ravdess.js';

const FORMATS: Record<FormatName, CorpusFormat> = { manifest, merc, meld, cremad, ravdess, folders };

export function formatNamed(name: FormatName): CorpusFormat {
  return FORMATS[name];
}

/**
 * The format of a corpus by what lies in its folder: the first one that recognises it, in the order of FORMAT_NAMES,
 * so that a manifest, which somebody wrote on purpose, comes before everything else.
 *
 * @throws MerError not_found when none does, saying what each format looks like
 */
export async function detectFormat(corpusDir: string): Promise<CorpusFormat> {
  for (const name of FORMAT_NAMES) if (await FORMATS[name].recognises(corpusDir)) return FORMATS[name];
  const layouts = FORMAT_NAMES.map((name) => `  ${name}: ${FORMATS[name].layout}`);
  throw new MerError(
    'not_found',
    `${corpusDir} holds a corpus of no known format. The formats are\n${layouts.join('\n')}`,
    'Give the folder that holds the corpus, or write a manifest.',
  );
}
