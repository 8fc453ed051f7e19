import fsp from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inListOrder, readTestList } from '../../evaluation/test-list.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';

const read = (text: string) =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'test1.csv');
    await fsp.writeFile(file, text);
    return readTestList(file);
  });

describe('the list of a test set', () => {
  test('is read in its order, also as names of clips among other columns', async () => {
    expect(await read('FileID\n3\n00001\n2\n')).toEqual([3, 1, 2]);
    expect(await read('\uFEFFNo,FileID\r\n1,00012.mp4\r\n2,00003-x-y.mp4\r\n')).toEqual([12, 3]);
  });

  for (const [what, text, message] of [
    ['without a column FileID', 'id\n1\n', 'line 1'],
    ['with a FileID that is no integer', 'FileID\nx1\n', 'line 2'],
    ['with a FileID that comes twice', 'FileID\n1\n2\n01\n', 'line 4: the FileID 1 comes a second time'],
    ['without clips', 'FileID\n', 'no FileIDs'],
  ] as const) {
    test(`${what} is refused by its line`, async () => {
      await expect(read(text)).rejects.toMatchObject({ code: 'bad_file', message: expect.stringContaining(message) });
    });
  }

  test('missing and extra clips are refused by their FileIDs', () => {
    const of = { test: 'test1', file: 'list.csv' } as const;
    const clips = [1, 2, 3].map((fileId) => ({ fileId }));
    expect(inListOrder(clips, [3, 1, 2], of).map(({ fileId }) => fileId)).toEqual([3, 1, 2]);
    expect(() => inListOrder(clips, [1, 2, 3, 7, 9], of)).toThrow(/list\.csv names .* FileID 7, 9/);
    expect(() => inListOrder(clips, [1, 3], of)).toThrow(/test1 has clips .* FileID 2/);
  });
});
