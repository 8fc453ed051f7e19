import path from 'node:path';
import { MerError } from '../common/errors.js';
import { isClip, listFiles } from '../preprocessing/corpus/formats/clip-files.js';
import { readSidecars } from '../preprocessing/corpus/formats/sidecars.js';
import type { SourceClip } from '../preprocessing/corpus/source-clip.js';

export const TEST_SETS = ['test1', 'test2', 'test3'] as const;
export type TestSet = (typeof TEST_SETS)[number];

/** One clip of a test set. */
export interface TestClip {
  test: TestSet;
  fileId: number;
  source: SourceClip;
}

/**
 * The clips of a test folder in numeric order: `<FileID>.mp4` or `<FileID>-….mp4`, with `<FileID>.npz` for the
 * word vectors or `<FileID>.txt` for the words.
 *
 * @throws MerError not_found when there are none; bad_file naming a clip without an integer FileID, or whose FileID
 *   another clip has as well
 */
export async function listTestClips(test: TestSet, folder: string): Promise<TestClip[]> {
  const names = await listFiles(folder);
  const present = new Set(names);
  const clips: TestClip[] = [];
  for (const name of names.filter(isClip)) {
    const clip = path.resolve(folder, name);
    const digits = path.basename(name, path.extname(name)).split('-')[0] ?? '';
    const fileId = parseFileId(digits, clip);
    const words = await readSidecars(path.resolve(folder, digits), (file) => present.has(path.basename(file)));
    const stem = `${test}-${digits}`;
    const known = { split: 'test_merc', source: `merc2020/${test}`, labels: null, speaker: null } as const;
    clips.push({ test, fileId, source: { ...known, stem, fileId: digits, clip, ...words } });
  }
  if (clips.length === 0) throw new MerError('not_found', `${folder} has no clips.`, 'Give the folder of a test set.');
  return inNumericOrder(clips, ({ source }) => source.clip);
}

/** @throws MerError bad_file naming the file when the FileID is no integer */
export function parseFileId(digits: string, file: string): number {
  if (/^\d+$/.test(digits)) return Number(digits);
  throw new MerError('bad_file', `${file} does not begin with an integer FileID.`, 'Rename it, or move it away.');
}

/** @throws MerError bad_file naming both of two clips with the same FileID */
export function inNumericOrder<Clip extends { fileId: number }>(
  clips: readonly Clip[],
  nameOf: (clip: Clip) => string,
): Clip[] {
  const sorted = [...clips].sort((a, b) => a.fileId - b.fileId);
  for (const [index, clip] of sorted.entries()) {
    const other = sorted[index + 1];
    if (other?.fileId !== clip.fileId) continue;
    const message = `${nameOf(clip)} and ${nameOf(other)} have the same FileID.`;
    throw new MerError('bad_file', message, 'Move one of them away.');
  }
  return sorted;
}
