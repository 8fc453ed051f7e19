import { expect, test } from 'vitest';
import { checkCorpus } from '../../pipeline/corpus-check.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { makeTinyFeatures, type TinyClips } from '../helpers/tiny-features.js';

/** The check of features of random numbers, whose labels go round. */
function check(clips: Partial<TinyClips>) {
  return inTemporaryFolder(async (directory) => {
    await makeTinyFeatures(directory, { compat: 'default', train: 12, val: 3, wordDim: 4, faceFrames: 1, ...clips });
    return checkCorpus(directory);
  });
}

test('modalities that too few clips have are left out, and it is said', async () => {
  const { modalities, notes, clips, clipsWith } = await check({ without: (index) => (index > 1 ? ['text'] : []) });
  expect(modalities).toEqual(['speech', 'face']);
  expect({ clips, clipsWith }).toEqual({ clips: 12, clipsWith: { speech: 12, face: 12, text: 2 } });
  expect(notes).toContain('text is left out: 2 training and 2 validation clips have it');
});

test('classes that nobody is validated on are named', async () => {
  const { notes } = await check({});
  expect(notes).toEqual(['no validation clip is labelled fea, sad, neu, sur: not measured']);
});

test('the fingerprint changes with the clips', async () => {
  const [one, same, other] = [await check({}), await check({}), await check({ train: 13 })];
  expect(same.fingerprint).toBe(one.fingerprint);
  expect(other.fingerprint).not.toBe(one.fingerprint);
});

test.each([
  ['too few training clips', { train: 9 }, /holds 9 labelled clips; a training needs 10/],
  ['nobody to validate on', { val: 0 }, /nobody is left to validate on/],
  [
    'nothing to hear, see or read',
    { without: () => ['speech', 'face', 'text'] as const },
    /have a voice, a face or words/,
  ],
])('features with %s are refused', async (_, clips, message) => {
  await expect(check(clips)).rejects.toMatchObject({ code: 'bad_argument', message: expect.stringMatching(message) });
});
