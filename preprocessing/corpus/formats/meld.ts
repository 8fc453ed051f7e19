import path from 'node:path';
import { z } from 'zod';
import type { Split } from '../../features.js';
import type { ClipFailure } from '../source-clip.js';
import { isClip, isSound, stemOf, walkFiles } from './clip-files.js';
import { type CsvRow, readCsv } from './csv.js';
import { EMOTION_NAMES_HELP, parseEmotion } from './emotion-names.js';
import type { CorpusFormat, Listing } from './format.js';

const SETS: readonly { name: 'train' | 'dev' | 'test'; split: Split }[] = [
  { name: 'train', split: 'train' },
  { name: 'dev', split: 'val' },
  { name: 'test', split: 'test' },
];

/** The test set also has clips `final_videos_testdia0_utt0`, which the tables do not mean. */
const CLIP_NAME = /^dia\d+_utt\d+$/;
const TABLE_NAME = /(?:^|[\\/])(train|dev|test)_sent_emo\.csv$/;

/**
 * Clips of the test set that run on for minutes past their utterance (github.com/declare-lab/MELD, issue 20): one label
 * cannot stand for them. The corrupt train dia125_utt3 and the absent dev dia110_utt7 are found out by themselves.
 */
const OVERLONG: ReadonlySet<string> = new Set(['test-dia38_utt4', 'test-dia220_utt0']);

const rowSchema = z.object({
  Utterance: z.string(),
  Speaker: z.string(),
  Emotion: z.string(),
  Dialogue_ID: z.string().regex(/^\d+$/, 'it is no number'),
  Utterance_ID: z.string().regex(/^\d+$/, 'it is no number'),
});

/**
 * MELD (Poria et al. 2019): `{train,dev,test}_sent_emo.csv` and clips `dia{D}_utt{U}.mp4` in one folder a set, whose path
 * names the set (train_splits, dev_splits_complete, output_repeated_splits_test). Utterances are the transcripts.
 */
export const meld: CorpusFormat = {
  name: 'meld',
  layout: 'train_sent_emo.csv, dev_sent_emo.csv or test_sent_emo.csv',

  async recognises(corpusDir) {
    return (await walkFiles(corpusDir)).some((file) => TABLE_NAME.test(file));
  },

  async list(corpusDir) {
    const files = await walkFiles(corpusDir);
    const listing: Listing = { clips: [], failures: [], notes: [] };
    for (const { name, split } of SETS) {
      const table = files.find((file) => TABLE_NAME.exec(file)?.[1] === name);
      if (table === undefined) {
        listing.notes.push(`there is no ${name}_sent_emo.csv: the clips of that set are left out`);
        continue;
      }
      const found = clipsOf(files, name);
      const file = path.join(corpusDir, table);
      for (const row of await readCsv(file, Object.keys(rowSchema.shape))) {
        const result = readRow(row, file, { name, split, corpusDir, found });
        if ('code' in result) listing.failures.push(result);
        else listing.clips.push(result);
      }
    }
    return listing;
  },
};

/** The clips of a set by their stem; film before sound where both are there. */
function clipsOf(files: readonly string[], set: string): Map<string, string> {
  const own = files.filter((file) => isClip(file) && CLIP_NAME.test(stemOf(file)) && setOf(file) === set);
  const films = own.filter((file) => !isSound(file));
  return new Map([...own, ...films].map((file) => [stemOf(file), file]));
}

/** The set that the folders of a clip name: `…/dev_splits_complete/dia0_utt0.mp4` -> dev. */
function setOf(file: string): string | undefined {
  const folders = path.dirname(file).toLowerCase().split(path.sep).reverse();
  return folders.map((folder) => /train|dev|test/.exec(folder)?.[0]).find((set) => set !== undefined);
}

interface Context {
  name: string;
  split: Split;
  corpusDir: string;
  found: ReadonlyMap<string, string>;
}

function readRow({ line, values }: CsvRow, table: string, { name, split, corpusDir, found }: Context) {
  const fail = (clip: string, code: ClipFailure['code'], message: string, remedy: string): ClipFailure => ({
    ...{ clip, code, message: `${table}:${line}: ${message}.`, remedy },
  });
  const parsed = rowSchema.safeParse(values);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return fail(table, 'bad_file', `field ${issue?.path.join('.')}: ${issue?.message}`, 'Correct the table.');
  }
  const { Utterance, Speaker, Emotion, Dialogue_ID, Utterance_ID } = parsed.data;
  const utterance = `dia${Dialogue_ID}_utt${Utterance_ID}`;
  // Dialogues are numbered anew in each set.
  const stem = `${name}-${utterance}`;
  const file = found.get(utterance);
  const inte = parseEmotion(Emotion);
  if (file === undefined) return fail(stem, 'not_found', `the clip ${utterance} of ${name} is not there`, 'Fetch it.');
  const clip = path.join(corpusDir, file);
  if (!inte) {
    return fail(clip, 'bad_file', `field Emotion: "${Emotion}" is no class`, `Use ${EMOTION_NAMES_HELP}.`);
  }
  if (OVERLONG.has(stem)) {
    const why = `the clip ${utterance} of ${name} is known to run on for minutes past its utterance`;
    return fail(clip, 'bad_file', why, 'Leave it out, or cut it and name it otherwise.');
  }
  return {
    ...{ split, source: name, stem, fileId: stem, clip, transcript: plainQuotes(Utterance) },
    ...{ labels: { inte, face: null, speech: null }, speaker: Speaker === '' ? null : Speaker },
  };
}

/** The tables hold quotes and dashes of Windows-1252 as control characters of Unicode. */
function plainQuotes(text: string): string {
  const plain: Record<string, string> = {
    '\x91': "'",
    '\x92': "'",
    '\x93': '"',
    '\x94': '"',
    '\x96': '-',
    '\x97': '-',
  };
  return text.replace(/[\x80-\x9f]/g, (character) => plain[character] ?? (character === '\x85' ? '...' : ' '));
}
