import { describe, expect, it } from 'vitest';
import { withCorpus } from '../corpus-helpers.js';

/** Rows as the corpus has them: every value but the row's number in quotes, levels as means. */
const TABLE = `"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"
"1","1001_IEO_NEU_XX","N","53.25","N","60.89","N","59.28"
"2","1001_IEO_HAP_LO","N","57.9","H","58.95","H","46.88"
"3","1002_DFA_ANG_XX","A:N","46.1:46","A","40.6","A","60"
"4","1002_DFA_SAD_XX","S","46.1","N","40.6","N:S","60:55"
`;

describe('CREMA-D', () => {
  it("takes the raters' votes for labels; a tie of the whole drops the clip, another one leaves its label open", async () => {
    await withCorpus(async ({ write, list }) => {
      await write('processedResults/summaryTable.csv', TABLE);
      for (const name of [
        '1001_IEO_NEU_XX',
        '1001_IEO_HAP_LO',
        '1002_DFA_ANG_XX',
        '1002_DFA_SAD_XX',
        '1003_TSI_FEA_HI',
      ]) {
        await write(`VideoFlash/${name}.flv`);
      }
      const { format, clips, notes } = await list();
      expect(format).toBe('cremad');
      expect(clips.map(({ stem, labels }) => [stem, labels?.inte, labels?.face, labels?.speech])).toEqual([
        ['1001_IEO_HAP_LO', 'hap', 'hap', 'neu'],
        ['1001_IEO_NEU_XX', 'neu', 'neu', 'neu'],
        ['1002_DFA_ANG_XX', 'ang', 'ang', 'ang'],
        ['1003_TSI_FEA_HI', 'fea', 'fea', 'fea'],
      ]);
      expect(notes).toEqual(
        expect.arrayContaining([
          expect.stringContaining("raters' votes of processedResults/summaryTable.csv"),
          expect.stringContaining('1 clips were left out: the vote on the whole clip is a tie'),
          expect.stringContaining('1 clips are not in the table: their acted emotion is the label'),
          expect.stringContaining('1 clips have no face label and 2 no speech label of their own'),
        ]),
      );
    });
  });

  it('takes the acted emotion without the table; the name says speaker and sentence', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('1044_MTI_DIS_MD.wav');
      const { clips, notes } = await list();
      expect(clips).toMatchObject([
        {
          speaker: '1044',
          transcript: 'Maybe tomorrow it will be cold',
          labels: { inte: 'dis', face: 'dis', speech: 'dis' },
        },
      ]);
      expect(notes).toContainEqual(expect.stringContaining('the acted emotions of the names'));
    });
  });

  it('takes the fullest file of each performance', async () => {
    await withCorpus(async ({ write, list }) => {
      for (const file of [
        'VideoFlash/1001_IEO_HAP_LO.flv',
        'AudioWAV/1001_IEO_HAP_LO.wav',
        'AudioMP3/1001_IEO_HAP_LO.mp3',
      ]) {
        await write(file);
      }
      for (const file of ['AudioWAV/1001_IEO_SAD_LO.wav', 'AudioMP3/1001_IEO_SAD_LO.mp3']) await write(file);
      const { clips, failures, notes } = await list();
      expect(clips.map(({ source, stem }) => `${source}/${stem}`)).toEqual([
        'AudioWAV/1001_IEO_SAD_LO',
        'VideoFlash/1001_IEO_HAP_LO',
      ]);
      expect(failures).toEqual([]);
      expect(notes).toContainEqual(expect.stringContaining('3 sound files were left out'));
    });
  });

  it('is refused with the file and the column when the table is another one', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('1044_MTI_DIS_MD.wav');
      await write('processedResults/summaryTable.csv', 'FileName,Vote\n1044_MTI_DIS_MD,D\n');
      await expect(list()).rejects.toMatchObject({
        code: 'bad_file',
        message: expect.stringMatching(/summaryTable\.csv:1: field VoiceVote: there is no such column/),
      });
    });
  });
});
