import fsp from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readEmotionCsv, writeEmotionCsv } from '../../evaluation/emotion-csv.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';

test('a submission has the header of the challenge and integer FileIDs', async () => {
  await inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'test1_submission.csv');
    const rows = [
      { fileId: 7, emotion: 'hap' },
      { fileId: 12, emotion: 'neu' },
    ] as const;
    await writeEmotionCsv(file, rows);
    expect(await fsp.readFile(file, 'utf8')).toBe('FileID,Emotion\n7,hap\n12,neu\n');
    expect([...(await readEmotionCsv(file))]).toEqual(rows.map(({ fileId, emotion }) => [fileId, emotion]));
  });
});

test('leading zeros and Windows line ends are read', async () => {
  await inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'labels.csv');
    await fsp.writeFile(file, 'FileID,Emotion\r\n00007,hap\r\n');
    expect([...(await readEmotionCsv(file))]).toEqual([[7, 'hap']]);
  });
});

for (const [what, text, message] of [
  ['another header', 'id,emotion\n1,hap\n', 'line 1'],
  ['a FileID that is no integer', 'FileID,Emotion\nx1,hap\n', 'line 2'],
  ['an unknown emotion', 'FileID,Emotion\n1,hap\n2,joy\n', 'line 3'],
  ['a FileID that comes twice', 'FileID,Emotion\n1,hap\n1,ang\n', 'second time'],
] as const) {
  test(`${what} is refused by its line`, async () => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'wrong.csv');
      await fsp.writeFile(file, text);
      await expect(readEmotionCsv(file)).rejects.toMatchObject({
        code: 'bad_file',
        message: expect.stringContaining(message),
      });
    });
  });
}
