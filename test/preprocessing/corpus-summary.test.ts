import fsp from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatSummary } from '../../preprocessing/corpus/format-summary.js';
import { testClips } from '../helpers/test-clips.js';
import { withCorpus } from './corpus-helpers.js';

describe('the summary of a corpus', () => {
  beforeEach(() => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('counts clips with sound and pictures, with sound only and with pictures only', async () => {
    await withCorpus(async ({ folder, features, write, run }) => {
      const { whole, soundless, pictureless, text } = await testClips();
      await write(
        'manifest.csv',
        'path,label,face_label,speaker,split\na.mp4,hap,neu,kim,train\nb.mp4,sad,,lee,train\nc.mp4,ang,,lee,val\nd.mp4,ang,,kim,val\ne.mp4,,,,test\n',
      );
      for (const [name, from] of Object.entries({ a: whole, b: soundless, c: pictureless, d: text, e: whole })) {
        await fsp.copyFile(from, path.join(folder, `${name}.mp4`));
      }
      const { summary, failures } = await run({ maxFrames: 2 });
      const none = { hap: 0, ang: 0, dis: 0, fea: 0, sad: 0, neu: 0, sur: 0 };
      expect(summary).toMatchObject({
        format: 'manifest',
        split: 'given',
        splits: {
          train: {
            ...{ clips: 2, failed: 0, speakers: 2, withoutSpeaker: 0, unlabelled: 0 },
            ...{ classes: { ...none, hap: 1, sad: 1 }, used: { speech: 1, face: 2, text: 0 } },
          },
          val: { clips: 2, failed: 1, speakers: 1, classes: { ...none, ang: 1 }, used: { speech: 1, face: 0 } },
          test: { clips: 1, failed: 0, speakers: 0, withoutSpeaker: 1, unlabelled: 1, classes: none },
        },
        labels: { clips: 3, faceDiffers: 1, speechDiffers: 0 },
        failures: { unsupported_media: 1 },
      });
      expect(summary.splits.train?.hours).toBeCloseTo(4 / 3600, 3);
      expect(summary.notes).toContainEqual(expect.stringContaining('3 clips have no face label and 4 no speech label'));
      expect(summary.warnings).toEqual([
        expect.stringContaining('the same people are in train and in val: kim, lee;'),
        expect.stringMatching(/^the same content is there in different splits \(1x\), such as .*a\.mp4 and .*e\.mp4$/),
      ]);
      expect(JSON.parse(await fsp.readFile(path.join(features, 'summary.json'), 'utf8'))).toEqual(summary);

      const printed = formatSummary(summary, failures, 'F');
      expect(printed).toMatch(/^train +2 +0 +0 +0\.00 +2 +1 +2 +0 +100\.0%$/m);
      expect(printed).toMatch(/^split +hap +ang +dis +fea +sad +neu +sur +unlabelled$/m);
      expect(printed).toContain('of 3 labelled clips the face label differs from the integrated one in 1 (33.3%)');
      expect(printed).toContain('1 clips could not be used: unsupported_media 1\n');
    });
  });

  it('says the same of clips that were whole already, warnings included', async () => {
    await withCorpus(async ({ folder, write, run }) => {
      const { whole } = await testClips();
      // The last third of the pictures and of the sound is cut away.
      const bytes = await fsp.readFile(whole);
      await write('train/hap/kim__1.mp4', bytes.subarray(0, Math.floor(bytes.length * 0.7)));
      await fsp.mkdir(path.join(folder, 'train/sad'), { recursive: true });
      await fsp.copyFile(whole, path.join(folder, 'train/sad/kim__2.mp4'));
      const first = await run({ maxFrames: 2 });
      expect(first.summary.warnings).toContainEqual(expect.stringMatching(/kim__1\.mp4: only .* could be decoded/));
      const second = await run({ maxFrames: 2 });
      expect(second.summary.splits.train?.reused).toBe(2);
      second.summary.splits.train!.reused = 0;
      expect(second).toEqual(first);
    });
  });

  it('warns of one file under two labels', async () => {
    await withCorpus(async ({ add, write, run }) => {
      await write('manifest.csv', 'path,label,split\n1.m4a,hap,val\n2.m4a,sad,val\n');
      for (const name of ['1', '2']) await add(`${name}.m4a`);
      const { summary } = await run();
      expect(summary.warnings).toEqual([
        expect.stringMatching(
          /^the same content is there under different labels \(1x\), such as .*1\.m4a and .*2\.m4a$/,
        ),
      ]);
    });
  });
});
