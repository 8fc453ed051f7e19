import { describe, expect, it } from 'vitest';
import { withCorpus } from '../corpus-helpers.js';

describe('folders of classes', () => {
  it('are named by codes or English names', async () => {
    await withCorpus(async ({ write, list }) => {
      for (const [i, name] of ['hap', 'Anger', 'disgusted', 'FEAR', 'sadness', 'neutral', 'surprise'].entries()) {
        await write(`${name}/${i}.mp4`);
      }
      const { format, clips } = await list();
      expect(format).toBe('folders');
      expect(clips.map(({ stem, labels }) => [stem, labels?.inte]).sort()).toEqual([
        ['Anger-1', 'ang'],
        ['FEAR-3', 'fea'],
        ['disgusted-2', 'dis'],
        ['hap-0', 'hap'],
        ['neutral-5', 'neu'],
        ['sadness-4', 'sad'],
        ['surprise-6', 'sur'],
      ]);
    });
  });

  it('may stand in train, val and test; clips in test itself have no labels', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('train/hap/1.mp4');
      await write('validation/hap/1.mp4');
      await write('test/ang/1.wav');
      await write('test/2.mp4');
      const { splitMode, clips } = await list();
      expect(splitMode).toBe('given');
      expect(clips.map(({ split, stem, labels }) => [split, stem, labels?.inte])).toEqual([
        ['test', 'test-2', undefined],
        ['test', 'test-ang-1', 'ang'],
        ['train', 'train-hap-1', 'hap'],
        ['val', 'validation-hap-1', 'hap'],
      ]);
    });
  });

  it('say the speaker before two underscores, and the words in files beside the clip', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('hap/kim__1.mp4');
      await write('hap/kim__1.txt', ' so glad \n');
      await write('hap/lee_2.mp4');
      await write('hap/lee_2.npz', 'vectors');
      const { clips } = await list();
      expect(clips).toMatchObject([
        { speaker: 'kim', transcript: 'so glad' },
        { speaker: null, words: expect.stringMatching(/hap\/lee_2\.npz$/) },
      ]);
    });
  });

  it('leave other folders out and say so', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('hap/1.mp4');
      await write('boredom/1.mp4');
      await write('boredom/2.mp4');
      const { clips, notes } = await list();
      expect(clips).toHaveLength(1);
      expect(notes).toContainEqual('2 clips in boredom were left out: the folder is no class');
    });
  });

  it('refuse two clips whose paths give the same name', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('hap/a/b.mp4');
      await write('hap/a-b.mp4');
      const { failures } = await list();
      expect(failures).toMatchObject([{ message: expect.stringContaining('is named hap-a-b, too') }]);
    });
  });
});
