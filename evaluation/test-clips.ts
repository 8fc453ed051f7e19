import fsp from 'node:fs/promises';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { CLIP_ENDINGS } from '../preprocessing/corpus/formats/clip-files.js';

/** One clip of a test set. */
export interface TestClip {
  fileId: number;
  clip: string;
  words?: string;
  /** File of what is said, where there are no word vectors. */
  transcript?: string;
}

/**
 * The clips of a test folder in numeric order: `<FileID>.mp4` or `<FileID>-….mp4`, with `<FileID>.npz` for the
 * word vectors or `<FileID>.txt` for the words.
 *
 * @throws MerError not_found when there are none; bad_file naming a clip without an integer FileID, or whose FileID
 *   another clip has as well
 */
export async function listTestClips(folder: string): Promise<TestClip[]> {
  const names = (await fsp.readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
  const present = new Set(names);
  const clips = new Map<number, TestClip>();
  for (const name of names) {
    if (!CLIP_ENDINGS.has(path.extname(name).toLowerCase())) continue;
    const clip = path.join(folder, name);
    const id = path.basename(name, path.extname(name)).split('-')[0] ?? '';
    if (!/^\d+$/.test(id)) {
      throw new MerError('bad_file', `${clip} does not begin with an integer FileID.`, 'Rename it, or move it away.');
    }
    const fileId = Number(id);
    const other = clips.get(fileId);
    if (other !== undefined) {
      throw new MerError('bad_file', `${other.clip} and ${clip} have the same FileID.`, 'Move one of them away.');
    }
    const beside = { words: path.join(folder, `${id}.npz`), transcript: path.join(folder, `${id}.txt`) };
    const has = (file: string) => present.has(path.basename(file));
    if (has(beside.words)) clips.set(fileId, { fileId, clip, words: beside.words });
    else if (has(beside.transcript)) clips.set(fileId, { fileId, clip, transcript: beside.transcript });
    else clips.set(fileId, { fileId, clip });
  }
  if (clips.size === 0) throw new MerError('not_found', `${folder} has no clips.`, 'Give the folder of a test set.');
  return [...clips.values()].sort((a, b) => a.fileId - b.fileId);
}
