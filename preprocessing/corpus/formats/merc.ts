import path from 'node:path';
import { z } from 'zod';
import { EMOTIONS } from '../../../common/labels.js';
import type { Split } from '../../features.js';
import type { ClipFailure } from '../source-clip.js';
import { isClip, listFiles, listFolders, stemOf } from './clip-files.js';
import type { CorpusFormat, ListedClip, Listing } from './format.js';
import { readSidecars } from './sidecars.js';

const emotionSchema = z.enum(EMOTIONS);

/** The folders of the QIA2020 and MERC2020 corpora and the split that each belongs to. */
const FOLDERS: readonly { source: string; split: Split; labelled: boolean; prefix: string }[] = [
  { source: 'qia2020/train', split: 'train', labelled: true, prefix: '' },
  { source: 'qia2020/val', split: 'val', labelled: true, prefix: '' },
  { source: 'qia2020/test', split: 'test', labelled: false, prefix: '' },
  // The three tests share a split and number their clips anew: the prefix keeps their names apart.
  { source: 'merc2020/test1', split: 'test_merc', labelled: false, prefix: 'test1-' },
  { source: 'merc2020/test2', split: 'test_merc', labelled: false, prefix: 'test2-' },
  { source: 'merc2020/test3', split: 'test_merc', labelled: false, prefix: 'test3-' },
];

/**
 * The layout of QIA2020/MERC2020: `<FileID>-<inte>-<face>-<speech>.mp4` in train and val, `<FileID>.mp4` or
 * `<FileID>-….mp4` in the tests, `<FileID>.npz` for the word vectors or `<FileID>.txt` for the words.
 */
export const merc: CorpusFormat = {
  name: 'merc',
  layout: 'folders qia2020/{train,val,test} or merc2020/{test1,test2,test3} with clips',

  async recognises(corpusDir) {
    const folders = await listFolders(corpusDir);
    return folders.includes('qia2020') || folders.includes('merc2020');
  },

  async list(corpusDir) {
    const listing: Listing = { clips: [], failures: [], notes: [] };
    for (const { source, split, labelled, prefix } of FOLDERS) {
      const folder = path.join(corpusDir, ...source.split('/'));
      const names = await listFiles(folder);
      const present = new Set(names);
      for (const name of names.filter(isClip)) {
        const clip = path.join(folder, name);
        const stem = stemOf(name);
        const fileId = stem.split('-')[0]!;
        const labels = labelled ? parseLabels(stem) : null;
        if (labelled && !labels) {
          listing.failures.push(misnamed(clip));
          continue;
        }
        const words = await readSidecars(path.join(folder, fileId), (file) => present.has(path.basename(file)));
        listing.clips.push({ split, source, stem: prefix + stem, fileId, clip, labels, speaker: null, ...words });
      }
    }
    return listing;
  },
};

/** The three labels of `<FileID>-<inte>-<face>-<speech>`, or null. */
function parseLabels(stem: string): ListedClip['labels'] {
  const [fileId, inte, face, speech, ...rest] = stem.split('-');
  const labels = z.object({ inte: emotionSchema, face: emotionSchema, speech: emotionSchema });
  const parsed = labels.safeParse({ inte, face, speech });
  return fileId && rest.length === 0 && parsed.success ? parsed.data : null;
}

function misnamed(clip: string): ClipFailure {
  return {
    clip,
    code: 'bad_file',
    message: 'The name is not <FileID>-<inte>-<face>-<speech>.',
    remedy: `Rename it; the labels are ${EMOTIONS.join(', ')}.`,
  };
}
