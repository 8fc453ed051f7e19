import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readJson } from '../../common/files.js';
import { encodeNpz } from '../../common/npz.js';
import { listClips, loadClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { type ClipOutcome, runClips } from '../../preprocessing/corpus/worker-pool.js';
import { clipRecordSchema, SPLITS } from '../../preprocessing/features.js';
import { listTree, withCorpus, workerSettings } from './corpus-helpers.js';
import { goldenClip } from './helpers.js';

/** Process identifiers of the workers that this process has started. */
function listWorkers(): number[] {
  const tasks = fs.readdirSync('/proc/self/task');
  const children = tasks.flatMap((task) => fs.readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' '));
  return children
    .filter((pid) => pid !== '' && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('clip-worker'))
    .map(Number);
}

describe('a corpus', () => {
  // Progress goes to stderr; here it would only stand between the tests.
  beforeEach(() => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('becomes features in the layout that training reads', async () => {
    await withCorpus(async ({ folder, features, run }) => {
      const train = path.join(folder, 'qia2020', 'train');
      await fsp.mkdir(train, { recursive: true });
      await fsp.copyFile(goldenClip(2), path.join(train, '00002-ang-neu-ang.mp4'));
      const words = { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
      await fsp.writeFile(path.join(train, '00002.npz'), encodeNpz({ word_embed: { ...words, shape: [2, 3] } }));

      const { summary, failures } = await run();
      expect(failures).toEqual([]);
      expect(summary.splits.train).toMatchObject({ clips: 1, failed: 0, used: { speech: 1, face: 1, text: 1 } });
      expect(await listTree(features)).toEqual([
        'failures.json',
        'summary.json',
        'train/clips/00002-ang-neu-ang.json',
        'train/speech/00002-ang-neu-ang.npy',
        'train/text/00002-ang-neu-ang.npz',
        'train/video/00002-ang-neu-ang.npy',
      ]);
      const [record] = await listClips(features, 'train');
      expect(record).toMatchObject({
        fileId: '00002',
        source: 'qia2020/train',
        labels: { inte: 'ang', face: 'neu', speech: 'ang' },
        maxFrames: 8,
        face: { frames: 8 },
      });
      const stored = await loadClipFeatures(features, 'train', record!);
      expect(stored.text).toEqual({ status: 'used', words: 2, dim: 3, data: words.data });
      expect([stored.speech.status, stored.face.status]).toEqual(['used', 'used']);
    });
  });

  it('keeps clips of the same FileID in test1 to test3 apart', async () => {
    await withCorpus(async ({ features, add, run }) => {
      for (const test of ['test1', 'test2', 'test3']) await add(`merc2020/${test}/7.mp4`);
      await add('qia2020/test/7-whatever.mp4');
      await run({ workers: 2 });
      const clips = (await Promise.all(SPLITS.map((split) => listClips(features, split)))).flat();
      expect(clips.map(({ stem, fileId, source, labels }) => [stem, fileId, source, labels])).toEqual([
        ['7-whatever', '7', 'qia2020/test', null],
        ['test1-7', '7', 'merc2020/test1', null],
        ['test2-7', '7', 'merc2020/test2', null],
        ['test3-7', '7', 'merc2020/test3', null],
      ]);
    });
  });

  it('is not stopped by clips that cannot be used, and lists them', async () => {
    await withCorpus(async ({ folder, features, add, run }) => {
      await add('qia2020/train/1-hap-hap-hap.mp4');
      await add('qia2020/train/2-hap-hap-hap.mp4');
      await add('qia2020/train/2-hap-hap-hap.m4a');
      await add('qia2020/train/3.mp4');
      await add('qia2020/train/4-hap-hap-joy.mp4');
      await fsp.writeFile(path.join(folder, 'qia2020', 'train', '5-hap-hap-hap.mp4'), 'no media');
      await fsp.writeFile(path.join(folder, 'qia2020', 'train', '1.npz'), 'no words');
      const { summary, failures } = await run();
      expect(summary.splits.train).toMatchObject({ clips: 3, failed: 2 });
      expect(failures.map(({ clip, code }) => [path.basename(clip), code])).toEqual([
        ['1-hap-hap-hap.mp4', 'bad_words'],
        ['2-hap-hap-hap.mp4', 'bad_file'],
        ['3.mp4', 'bad_file'],
        ['4-hap-hap-joy.mp4', 'bad_file'],
        ['5-hap-hap-hap.mp4', 'unsupported_media'],
      ]);
      expect(JSON.parse(await fsp.readFile(path.join(features, 'failures.json'), 'utf8'))).toEqual(failures);
    });
  });

  it('is not done again but for clips that changed, whose files are gone, or that failed', async () => {
    await withCorpus(async ({ folder, features, add, run }) => {
      for (const name of ['1', '2', '3', '4']) await add(`qia2020/train/${name}-hap-hap-hap.mp4`);
      await fsp.writeFile(path.join(folder, 'qia2020', 'train', '4.npz'), 'no words');
      await run();
      const speech = (name: string) => path.join(features, 'train', 'speech', `${name}-hap-hap-hap.npy`);
      const before = await fsp.stat(speech('1'));

      await add('qia2020/train/2-hap-hap-hap.mp4', 2);
      await fsp.rm(speech('3'));
      await fsp.rm(path.join(folder, 'qia2020', 'train', '4.npz'));
      const { summary, failures } = await run();
      expect(summary.splits.train).toMatchObject({ clips: 4, reused: 1, failed: 0 });
      expect(failures).toEqual([]);
      expect((await fsp.stat(speech('1'))).mtimeMs).toBe(before.mtimeMs);
      expect((await listClips(features, 'train')).map(({ duration }) => Math.round(duration))).toEqual([1, 2, 1, 1]);
    });
  });

  it('is done again with other settings', async () => {
    await withCorpus(async ({ add, run }) => {
      await add('qia2020/val/1-hap-hap-hap.mp4');
      await run();
      const { summary } = await run({ maxFrames: 9 });
      expect(summary.splits.val).toMatchObject({ clips: 1, reused: 0 });
    });
  });

  it('has no record of a clip that worked once and fails now', async () => {
    await withCorpus(async ({ folder, features, add, run }) => {
      await add('qia2020/val/1-hap-hap-hap.mp4');
      await run();
      await fsp.writeFile(path.join(folder, 'qia2020', 'val', '1-hap-hap-hap.mp4'), '');
      const { failures } = await run();
      expect(failures).toMatchObject([{ code: 'empty_file' }]);
      expect(await listClips(features, 'val')).toEqual([]);
    });
  });

  it('goes on after an interruption, which leaves only whole clips', async () => {
    await withCorpus(async ({ features, add, list, run }) => {
      for (const name of ['1', '2', '3']) await add(`qia2020/val/${name}-hap-hap-hap.mp4`);
      await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
      const controller = new AbortController();
      const { clips } = await list();
      await runClips(clips, workerSettings(features), 1, () => controller.abort(), controller.signal);
      expect((await listClips(features, 'val')).map(({ stem }) => stem)).toEqual(['1-hap-hap-hap']);
      const { summary } = await run();
      expect(summary.splits.val).toMatchObject({ clips: 3, reused: 1, failed: 0 });
    });
  });

  it('loses nothing when a worker process is killed', async () => {
    await withCorpus(async ({ features, add, list }) => {
      for (const name of ['1', '2']) await add(`qia2020/val/${name}-hap-hap-hap.mp4`);
      const { clips } = await list();
      const outcomes: ClipOutcome[] = [];
      await runClips(clips, workerSettings(features), 1, (_, outcome) => {
        outcomes.push(outcome);
        if (outcomes.length === 1) for (const pid of listWorkers()) process.kill(pid, 'SIGKILL');
      });
      expect(outcomes).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
      expect(listWorkers()).toEqual([]);
    });
  });

  it('does nothing but say so when the face detection nets are missing', async () => {
    await withCorpus(async ({ folder, features, add, list }) => {
      await add('qia2020/val/1-hap-hap-hap.mp4');
      const { clips } = await list();
      const settings = { ...workerSettings(features), netsDir: folder };
      const outcome = vi.fn();
      await expect(runClips(clips, settings, 1, outcome)).rejects.toMatchObject({ code: 'missing_part' });
      expect(outcome).not.toHaveBeenCalled();
    });
  });

  it('is swept of the temporary files of killed processes', async () => {
    await withCorpus(async ({ features, add, run }) => {
      await add('qia2020/val/1-hap-hap-hap.mp4');
      const folder = path.join(features, 'val', 'video');
      await fsp.mkdir(folder, { recursive: true });
      // Process identifiers end at 2^22.
      await fsp.writeFile(path.join(folder, 'x.npy.99999999.0123abcd.tmp'), 'half a file');
      await run();
      expect(await fsp.readdir(folder)).toEqual([]);
    });
  });

  it('warns of features that it has no clip for', async () => {
    await withCorpus(async ({ folder, add, run }) => {
      await add('qia2020/val/1-hap-hap-hap.mp4');
      await add('qia2020/val/2-hap-hap-hap.mp4');
      await run();
      await fsp.rm(path.join(folder, 'qia2020', 'val', '1-hap-hap-hap.mp4'));
      const { summary } = await run();
      expect(summary.warnings).toContainEqual(expect.stringContaining('such as 1-hap-hap-hap'));
    });
  });

  it('is not_found without a folder of its layout', async () => {
    await withCorpus(async ({ run }) => {
      await expect(run()).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  it('is refused with the file and field when a record is damaged', async () => {
    await withCorpus(async ({ features, add, run }) => {
      await add('qia2020/val/1-hap-hap-hap.mp4');
      await run();
      const file = path.join(features, 'val', 'clips', '1-hap-hap-hap.json');
      const record = await readJson(file, clipRecordSchema);
      await fsp.writeFile(file, JSON.stringify({ ...record, version: 0 }));
      await expect(listClips(features, 'val')).rejects.toThrow(/1-hap-hap-hap.json: field version/);
    });
  });
});
