import { describe, expect, it } from 'vitest';
import { type TestCorpus, withCorpus } from '../corpus-helpers.js';

const HEADER = 'Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n';
const TIMES = '8,21,"00:16:16,059","00:16:21,731"\n';

async function writeCorpus({ write }: TestCorpus): Promise<void> {
  await write(
    'train_sent_emo.csv',
    `${HEADER}1,"also I was the point person on my company\x92s transition, ""KL-5"" to GR-6.",Chandler,neutral,neutral,0,0,${TIMES}` +
      `2,You must\x92ve had your hands full.,Joey,joy,positive,0,1,${TIMES}` +
      `3,No.,Joey,anger,negative,125,3,${TIMES}`,
  );
  await write('dev_sent_emo.csv', `${HEADER}1,Oh my God!,Phoebe,surprise,negative,0,0,${TIMES}`);
  await write(
    'test_sent_emo.csv',
    `${HEADER}1,Why?,Joey,disgust,negative,0,0,${TIMES}2,Hm.,Ross,sadness,negative,38,4,${TIMES}`,
  );
  await write('train_splits/dia0_utt0.mp4');
  await write('train_splits/dia0_utt1.mp4');
  await write('train_splits/dia9_utt9.mp4');
  await write('dev_splits_complete/dia0_utt0.mp4');
  await write('output_repeated_splits_test/dia0_utt0.mp4');
  await write('output_repeated_splits_test/dia38_utt4.mp4');
  await write('output_repeated_splits_test/final_videos_testdia0_utt0.mp4');
  await write('output_repeated_splits_test/._dia0_utt0.mp4');
}

describe('MELD', () => {
  it('has its labels, speakers and transcripts in tables, and one folder a set', async () => {
    await withCorpus(async (corpus) => {
      await writeCorpus(corpus);
      const { format, splitMode, clips } = await corpus.list();
      expect([format, splitMode]).toEqual(['meld', 'given']);
      expect(
        clips.map(({ split, stem, labels, speaker, transcript }) => [split, stem, labels?.inte, speaker, transcript]),
      ).toEqual([
        [
          'train',
          'train-dia0_utt0',
          'neu',
          'Chandler',
          `also I was the point person on my company's transition, "KL-5" to GR-6.`,
        ],
        ['train', 'train-dia0_utt1', 'hap', 'Joey', "You must've had your hands full."],
        ['val', 'dev-dia0_utt0', 'sur', 'Phoebe', 'Oh my God!'],
        ['test', 'test-dia0_utt0', 'dis', 'Joey', 'Why?'],
      ]);
    });
  });

  it('reports absent and overlong clips by file and line, and goes on', async () => {
    await withCorpus(async (corpus) => {
      await writeCorpus(corpus);
      const { failures } = await corpus.list();
      expect(failures.map(({ code, message }) => [code, message.replace(/^.*\//, '')])).toEqual([
        ['not_found', 'train_sent_emo.csv:4: the clip dia125_utt3 of train is not there.'],
        [
          'bad_file',
          'test_sent_emo.csv:3: the clip dia38_utt4 of test is known to run on for minutes past its utterance.',
        ],
      ]);
    });
  });

  it('warns of the people who are in train and in test', async () => {
    await withCorpus(async (corpus) => {
      await writeCorpus(corpus);
      expect((await corpus.list()).warnings).toEqual([
        'the same people are in train and in test: Joey; scores on test will be better than strangers get',
      ]);
    });
  });

  it('reports a row that says no class by file, line and field', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('dev_sent_emo.csv', `${HEADER}1,A,B,boredom,neutral,0,0,${TIMES}2,A,B,fear,neutral,x,0,${TIMES}`);
      await write('dev_splits_complete/dia0_utt0.mp4');
      const { failures } = await list();
      expect(failures.map(({ message }) => message.replace(/^.*\//, ''))).toEqual([
        'dev_sent_emo.csv:2: field Emotion: "boredom" is no class.',
        'dev_sent_emo.csv:3: field Dialogue_ID: it is no number.',
      ]);
    });
  });
});
