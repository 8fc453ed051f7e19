import fsp from 'node:fs/promises';
import { MerError } from '../common/errors.js';
import type { TestSet } from './test-clips.js';

/** FileIDs that an error names; of more only the number is said. */
const NAMED = 5;

/**
 * Reads the list of a test set: a CSV file whose header has a column `FileID`. The other columns do not count. A FileID
 * may stand as the name of its clip, such as `00012.mp4`.
 *
 * @returns the FileIDs in the order of the list
 * @throws MerError not_found; bad_file naming the line that has no integer FileID, or one that came before
 */
export async function readTestList(file: string): Promise<number[]> {
  const text = await fsp.readFile(file, 'utf8').catch((error: unknown) => {
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  });
  const bad = (line: number, why: string) =>
    new MerError('bad_file', `${file}, line ${line}: ${why}.`, 'Give the list of the test set, with a column FileID.');
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const column = header.split(',').findIndex((title) => title.trim() === 'FileID');
  if (column < 0) throw bad(1, 'the header has no column FileID');
  const fileIds = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const cell = line.split(',')[column]?.trim() ?? '';
    const digits = /^(\d+)(-[^.]*)?(\.\w+)?$/.exec(cell)?.[1];
    if (digits === undefined) throw bad(index + 2, `"${cell}" is no integer FileID`);
    const fileId = Number(digits);
    if (fileIds.has(fileId)) throw bad(index + 2, `the FileID ${fileId} comes a second time`);
    fileIds.add(fileId);
  }
  if (fileIds.size === 0) throw bad(1, 'there are no FileIDs below the header');
  return [...fileIds];
}

/**
 * The clips of a test set in the order of its list.
 *
 * @throws MerError bad_file naming clips that the list has and the test set has not, or the other way round
 */
export function inListOrder<Clip extends { fileId: number }>(
  clips: readonly Clip[],
  list: readonly number[],
  { test, file }: { test: TestSet; file: string },
): Clip[] {
  const byId = new Map(clips.map((clip) => [clip.fileId, clip]));
  const listed = new Set(list);
  refuse(
    list.filter((fileId) => !byId.has(fileId)),
    `${file} names clips that ${test} does not have`,
  );
  refuse(
    clips.map(({ fileId }) => fileId).filter((fileId) => !listed.has(fileId)),
    `${test} has clips that ${file} does not name`,
  );
  return list.map((fileId) => byId.get(fileId)!);
}

function refuse(fileIds: readonly number[], what: string): void {
  if (fileIds.length === 0) return;
  const more = fileIds.length > NAMED ? ` … (${fileIds.length})` : '';
  const message = `${what}: FileID ${fileIds.slice(0, NAMED).join(', ')}${more}.`;
  throw new MerError('bad_file', message, 'Give the clips and the list of the same test set.');
}
