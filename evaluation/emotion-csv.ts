import fsp from 'node:fs/promises';
import { MerError } from '../common/errors.js';
import { writeFileAtomic } from '../common/files.js';
import { type Emotion, isEmotion } from '../common/labels.js';

/** The header of the challenge's submissions, and of its lists of labels. */
const HEADER = 'FileID,Emotion';

/** Writes a submission: integer FileIDs in the order given. Whole or not at all. */
export async function writeEmotionCsv(
  file: string,
  rows: readonly { fileId: number; emotion: Emotion }[],
): Promise<void> {
  const lines = rows.map(({ fileId, emotion }) => `${fileId},${emotion}`);
  await writeFileAtomic(file, `${[HEADER, ...lines].join('\n')}\n`);
}

/**
 * Reads a submission or a list of labels.
 *
 * @returns the emotion of each FileID, in the order of the file
 * @throws MerError not_found; bad_file naming the line that is not an integer FileID and one of the seven emotions, or
 *   that names a FileID again
 */
export async function readEmotionCsv(file: string): Promise<Map<number, Emotion>> {
  const text = await fsp.readFile(file, 'utf8').catch((error: unknown) => {
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  });
  const bad = (line: number, why: string) =>
    new MerError('bad_file', `${file}, line ${line}: ${why}.`, `Write it as a CSV file with the header ${HEADER}.`);
  const lines = text.split(/\r?\n/);
  if (lines[0]?.trim() !== HEADER) throw bad(1, `not the header ${HEADER}`);
  const emotions = new Map<number, Emotion>();
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const [fileId = '', emotion = '', ...more] = line.split(',').map((cell) => cell.trim());
    if (!/^\d+$/.test(fileId)) throw bad(index + 1, `the FileID "${fileId}" is no integer`);
    if (!isEmotion(emotion) || more.length > 0) throw bad(index + 1, `"${emotion}" is none of the seven emotions`);
    if (emotions.has(Number(fileId))) throw bad(index + 1, `the FileID ${fileId} comes a second time`);
    emotions.set(Number(fileId), emotion);
  }
  return emotions;
}
