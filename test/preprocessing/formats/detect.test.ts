import { describe, expect, it } from 'vitest';
import { withCorpus } from '../corpus-helpers.js';

describe('the format of a corpus', () => {
  it('is that of a manifest, whatever else lies beside it', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('hap/1.mp4');
      await write('manifest.csv', 'path,label\nhap/1.mp4,sad\n');
      expect(await list()).toMatchObject({ format: 'manifest', clips: [{ labels: { inte: 'sad' } }] });
      expect(await list({ format: 'folders' })).toMatchObject({
        format: 'folders',
        clips: [{ labels: { inte: 'hap' } }],
      });
    });
  });

  it('is not_found in a folder of no known one, and the message says what each looks like', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('holiday.mp4');
      await expect(list()).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringMatching(/manifest: .*merc: .*meld: .*cremad: .*ravdess: .*folders: /s),
      });
    });
  });

  it('is not_found when the named one has no clips there', async () => {
    await withCorpus(async ({ folder, write, list }) => {
      await write('holiday.mp4');
      await expect(list({ format: 'merc' })).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringContaining('qia2020'),
      });
      await expect(list({ corpusDir: `${folder}/nowhere` })).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  it('does not come from the features of an earlier run', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('features/hap/1.mp4');
      await expect(list({ format: 'folders' })).rejects.toMatchObject({ code: 'not_found' });
    });
  });
});
