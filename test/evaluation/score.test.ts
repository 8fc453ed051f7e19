import fsp from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { scoreSubmission } from '../../evaluation/score.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';

async function score(submission: string, labels: string) {
  return inTemporaryFolder(async (folder) => {
    const files = [path.join(folder, 'submission.csv'), path.join(folder, 'labels.csv')] as const;
    await fsp.writeFile(files[0], `FileID,Emotion\n${submission}`);
    await fsp.writeFile(files[1], `FileID,Emotion\n${labels}`);
    return scoreSubmission(...files);
  });
}

test('accuracy, F1 and confusion compare clips by FileID, whatever their order', async () => {
  const found = await score('3,ang\n1,hap\n2,ang\n4,hap\n', '1,hap\n2,hap\n3,ang\n4,hap\n');
  expect(found.accuracy).toBe(0.75);
  expect(found.confusion[0]).toEqual([2, 1, 0, 0, 0, 0, 0]);
  expect(found.macroF1).toBeCloseTo((0.8 + 2 / 3) / 2, 12);
  expect(found.weightedF1).toBeCloseTo((3 * 0.8 + 2 / 3) / 4, 12);
});

test('a clip that one of the files lacks is refused by its FileID', async () => {
  const refusal = (fileId: number) => ({ code: 'bad_file', message: expect.stringContaining(`FileID ${fileId}`) });
  await expect(score('1,hap\n', '1,hap\n2,ang\n')).rejects.toMatchObject(refusal(2));
  await expect(score('1,hap\n3,ang\n', '1,hap\n')).rejects.toMatchObject(refusal(3));
});
