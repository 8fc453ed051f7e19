import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { withCorpus } from '../corpus-helpers.js';

describe('QIA2020/MERC2020', () => {
  it('fills four splits, and each clip says which folder it came from', async () => {
    await withCorpus(async ({ write, list }) => {
      await write('qia2020/train/00001-hap-neu-hap.mp4');
      await write('qia2020/train/00001.npz', 'vectors');
      await write('qia2020/val/00002-ang-ang-sad.mp4');
      await write('qia2020/test/00003-x.mp4');
      for (const test of ['test1', 'test2', 'test3']) await write(`merc2020/${test}/00004.mp4`);
      const { format, splitMode, clips } = await list();
      expect([format, splitMode]).toEqual(['merc', 'given']);
      expect(
        clips.map(({ split, source, stem, fileId, labels }) => [split, source, stem, fileId, labels?.inte]),
      ).toEqual([
        ['train', 'qia2020/train', '00001-hap-neu-hap', '00001', 'hap'],
        ['val', 'qia2020/val', '00002-ang-ang-sad', '00002', 'ang'],
        ['test', 'qia2020/test', '00003-x', '00003', undefined],
        ['test_merc', 'merc2020/test1', 'test1-00004', '00004', undefined],
        ['test_merc', 'merc2020/test2', 'test2-00004', '00004', undefined],
        ['test_merc', 'merc2020/test3', 'test3-00004', '00004', undefined],
      ]);
      expect(path.basename(clips[0]?.words ?? '')).toBe('00001.npz');
    });
  });

  it('takes val from contiguous FileIDs of train when asked to split by speaker', async () => {
    await withCorpus(async ({ write, list }) => {
      for (let id = 1; id <= 12; id++) await write(`qia2020/train/${id}-${id % 2 ? 'hap' : 'ang'}-hap-hap.mp4`);
      expect((await list()).warnings).toContainEqual(expect.stringContaining('gives no clip to val'));
      const { clips, notes } = await list({ split: { seed: 3, valShare: 1 / 3, testShare: 0, mode: 'speaker' } });
      const ids = clips.filter(({ split }) => split === 'val').map(({ fileId }) => Number(fileId));
      expect(ids).toHaveLength(4);
      expect(Math.max(...ids) - Math.min(...ids)).toBeLessThanOrEqual(4);
      expect(notes).toContainEqual(expect.stringContaining('does not say who speaks in 12 clips: contiguous blocks'));
    });
  });

  it('does not wait for ever at a pipe that is named like a clip', async () => {
    await withCorpus(async ({ folder, write, list }) => {
      await write('qia2020/val/1-hap-hap-hap.mp4');
      execFileSync('mkfifo', [path.join(folder, 'qia2020/val/2-hap-hap-hap.mp4')]);
      fs.mkdirSync(path.join(folder, 'qia2020/val/3-hap-hap-hap.mp4'));
      expect((await list()).clips.map(({ fileId }) => fileId)).toEqual(['1']);
    });
  });
});
