import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import { EMOTIONS } from '../../common/labels.js';
import type { Split } from '../features.js';
import type { ClipFailure, SourceClip } from './source-clip.js';

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

/** Files with other endings beside the clips are no clips. */
export const CLIP_ENDINGS: ReadonlySet<string> = new Set(
  '.mp4 .m4v .mov .mkv .webm .avi .flv .wav .mp3 .m4a .ogg .oga .ogv .flac'.split(' '),
);

/**
 * Lists the clips of a corpus in the layout of QIA2020/MERC2020: `<FileID>-<inte>-<face>-<speech>.mp4` in train and
 * val, `<FileID>.mp4` or `<FileID>-….mp4` in the tests, `<FileID>.npz` for the words.
 *
 * @returns the clips in order of their names, and those whose names say no labels or are taken
 * @throws MerError not_found when the corpus has none of the folders, or no clips in them
 */
export async function listMercClips(corpusDir: string): Promise<{ clips: SourceClip[]; failures: ClipFailure[] }> {
  const clips: SourceClip[] = [];
  const failures: ClipFailure[] = [];
  for (const { source, split, labelled, prefix } of FOLDERS) {
    const folder = path.join(corpusDir, ...source.split('/'));
    const names = await readFolder(folder);
    const present = new Set(names);
    const taken = new Set<string>();
    for (const name of names.filter((name) => CLIP_ENDINGS.has(path.extname(name).toLowerCase()))) {
      const clip = path.join(folder, name);
      const stem = path.basename(name, path.extname(name));
      const fileId = stem.split('-')[0]!;
      const labels = labelled ? parseLabels(stem) : null;
      if (labelled && !labels) failures.push(misnamed(clip));
      else if (taken.has(stem)) failures.push(doubled(clip, stem));
      else {
        const words = `${fileId}.npz`;
        taken.add(stem);
        clips.push({
          ...{ split, source, stem: prefix + stem, fileId, clip, labels, speaker: null },
          ...(present.has(words) ? { words: path.join(folder, words) } : {}),
        });
      }
    }
  }
  if (clips.length + failures.length === 0) {
    throw new MerError(
      'not_found',
      `${corpusDir} has no clips in ${FOLDERS.map(({ source }) => source).join(', ')}.`,
      'Give the folder that holds qia2020/ or merc2020/.',
    );
  }
  return { clips, failures };
}

async function readFolder(folder: string): Promise<string[]> {
  try {
    return (await fsp.readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch {
    return [];
  }
}

/** The three labels of `<FileID>-<inte>-<face>-<speech>`, or null. */
function parseLabels(stem: string): SourceClip['labels'] {
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

function doubled(clip: string, stem: string): ClipFailure {
  return {
    clip,
    code: 'bad_file',
    message: `Another clip of this folder is named ${stem}, too.`,
    remedy: 'Keep one of them.',
  };
}
