import { describe, expect, it } from 'vitest';
import { withCorpus } from '../corpus-helpers.js';

const ACTORS = ['01', '02', '03', '04'];

describe('RAVDESS', () => {
  it('is known by its names, which say emotion, speaker and sentence', async () => {
    await withCorpus(async ({ write, list }) => {
      for (const [code, actor] of [
        ['03', '11'],
        ['04', '12'],
        ['05', '13'],
        ['06', '14'],
        ['07', '15'],
        ['08', '16'],
      ]) {
        await write(`Video_Speech_Actor_${actor}/Actor_${actor}/01-01-${code}-02-02-01-${actor}.mp4`);
      }
      await write('Audio/03-01-01-01-01-02-17.wav');
      const { format, clips } = await list();
      expect(format).toBe('ravdess');
      expect(
        clips.map(({ labels, speaker, transcript }) => [labels?.inte, speaker, transcript?.split(' ')[0]]),
      ).toEqual([
        ['neu', '17', 'Kids'],
        ['hap', '11', 'Dogs'],
        ['sad', '12', 'Dogs'],
        ['ang', '13', 'Dogs'],
        ['fea', '14', 'Dogs'],
        ['dis', '15', 'Dogs'],
        ['sur', '16', 'Dogs'],
      ]);
    });
  });

  it('has calm clips, which count as neutral or are dropped', async () => {
    await withCorpus(async ({ write, list }) => {
      for (const actor of ACTORS) await write(`01-01-02-01-01-01-${actor}.mp4`);
      await write('01-01-03-01-01-01-01.mp4');
      const kept = await list();
      expect(kept.clips.map(({ labels }) => labels?.inte)).toEqual(['neu', 'neu', 'neu', 'neu', 'hap']);
      expect(kept.notes).toContainEqual(expect.stringContaining('4 clips are calm and count as neu'));
      const dropped = await list({ ravdessCalm: 'drop' });
      expect(dropped.clips).toHaveLength(1);
      expect(dropped.notes).toContainEqual(expect.stringContaining('4 calm clips were left out'));
    });
  });

  it('takes a performance once, sound or pictures alone only where the whole is not there', async () => {
    await withCorpus(async ({ write, list }) => {
      for (const modality of ['01', '02', '03']) await write(`${modality}-01-03-01-01-01-01.mp4`);
      await write('02-01-04-01-01-01-02.mp4');
      await write('03-02-05-01-01-01-03.wav');
      const { clips, notes } = await list();
      expect(clips.map(({ stem, source }) => [stem, source])).toEqual([
        ['01-01-03-01-01-01-01', 'speech'],
        ['02-01-04-01-01-01-02', 'speech'],
        ['03-02-05-01-01-01-03', 'song'],
      ]);
      expect(notes).toContainEqual(expect.stringContaining('2 clips without sound or without pictures were left out'));
      expect(notes).toContainEqual('1 clips are sung');
    });
  });

  it('refuses the second of two clips of one name, by name', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('a/01-01-03-01-01-01-01.mp4');
      await write('b/01-01-03-01-01-01-01.mp4');
      const { clips, failures } = await list();
      expect(clips).toHaveLength(1);
      expect(failures).toMatchObject([
        { code: 'bad_file', message: expect.stringMatching(/named 01-01-03-01-01-01-01, too: .*a\/01-01/) },
      ]);
    });
  });
});
