import path from 'node:path';
import type { Emotion } from '../../../common/labels.js';
import type { Split } from '../../features.js';
import { isClip, listFolders, stemOf, stemOfPath, walkFiles } from './clip-files.js';
import { EMOTION_NAMES_HELP, parseEmotion } from './emotion-names.js';
import type { CorpusFormat, ListedClip, Listing } from './format.js';
import { readSidecars } from './sidecars.js';
import { parseSplit } from './split-names.js';

/** What a folder of clips says of them. */
interface Place {
  split: Split | null;
  label: Emotion | null;
}

/**
 * One folder a class, named by its code or its English name; folders `train`, `val` and `test` may stand above them.
 * A clip `speaker__name.mp4` says who speaks; `.npz`, `.json` or `.txt` beside it are its words. Clips that lie in
 * `test` itself have no labels.
 */
export const folders: CorpusFormat = {
  name: 'folders',
  layout: `folders named by classes (${EMOTION_NAMES_HELP}), or such folders in train/, val/ and test/`,

  async recognises(corpusDir) {
    for (const name of await listFolders(corpusDir)) {
      if (parseEmotion(name)) return true;
      if (!parseSplit(name)) continue;
      if ((await listFolders(path.join(corpusDir, name))).some(parseEmotion)) return true;
    }
    return false;
  },

  async list(corpusDir) {
    const listing: Listing = { clips: [], failures: [], notes: [] };
    const files = await walkFiles(corpusDir);
    const present = new Set(files);
    const foreign = new Map<string, number>();
    for (const file of files.filter(isClip)) {
      const place = placeOf(file);
      if (place) listing.clips.push(await readClip(corpusDir, file, place, present));
      else foreign.set(path.dirname(file), (foreign.get(path.dirname(file)) ?? 0) + 1);
    }
    for (const [folder, count] of foreign) {
      listing.notes.push(`${count} clips in ${folder} were left out: the folder is no class`);
    }
    return listing;
  },
};

/** `[split/]class/…/clip`, or `test/clip`; null for any other place. */
function placeOf(file: string): Place | null {
  const [first = '', second] = path.dirname(file).split(path.sep);
  const label = parseEmotion(first);
  if (label) return { split: null, label };
  const split = parseSplit(first);
  if (!split) return null;
  if (second === undefined) return split === 'test' ? { split, label: null } : null;
  const below = parseEmotion(second);
  return below && { split, label: below };
}

async function readClip(
  corpusDir: string,
  file: string,
  { split, label }: Place,
  present: ReadonlySet<string>,
): Promise<ListedClip> {
  const stem = stemOfPath(file);
  const [speaker, ...rest] = stemOf(file).split('__');
  const base = path.join(corpusDir, file.slice(0, -path.extname(file).length));
  return {
    split,
    source: split ? file.split(path.sep)[0]! : '.',
    stem,
    fileId: stem,
    clip: path.join(corpusDir, file),
    labels: label && { inte: label, face: null, speech: null },
    speaker: rest.length > 0 && speaker ? speaker : null,
    ...(await readSidecars(base, (sidecar) => present.has(path.relative(corpusDir, sidecar)))),
  };
}
