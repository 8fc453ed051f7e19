import fsp from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeNpz } from '../../common/npz.js';
import { listClips, loadClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { listTree, withCorpus } from './corpus-helpers.js';

/** Word vectors of one word of one dimension. */
function words(value: number): Uint8Array {
  return encodeNpz({ word_embed: { dtype: 'float32', shape: [1, 1], data: Float32Array.of(value) } });
}

/** When each feature file was written. */
async function ages(features: string): Promise<Map<string, number>> {
  const files = (await listTree(features)).filter((file) => file.endsWith('.npy'));
  const stats = await Promise.all(files.map((file) => fsp.stat(path.join(features, file))));
  return new Map(files.map((file, index) => [file, stats[index]!.mtimeMs]));
}

describe('a corpus that has changed', () => {
  beforeEach(() => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is done again only for the clip whose words have changed', async () => {
    await withCorpus(async ({ features, add, write, run }) => {
      await write('manifest.csv', 'path,label,words,split\n1.m4a,hap,1.npz,val\n2.m4a,hap,2.npz,val\n');
      for (const name of ['1', '2']) {
        await add(`${name}.m4a`);
        await write(`${name}.npz`, words(1));
      }
      await run();
      const before = await ages(features);
      await write('2.npz', words(7));
      const { summary } = await run();
      expect(summary.splits.val).toMatchObject({ clips: 2, reused: 1 });
      const after = await ages(features);
      expect([...after].filter(([file, age]) => before.get(file) !== age).map(([file]) => file)).toEqual([
        'val/speech/2.npy',
      ]);
      const [, record] = await listClips(features, 'val');
      const { text } = await loadClipFeatures(features, 'val', record!);
      expect(text).toMatchObject({ data: Float32Array.of(7) });
    });
  });

  it('has new labels, speakers and splits without a clip being decoded again', async () => {
    await withCorpus(async ({ features, add, write, run }) => {
      await add('1.m4a');
      await add('2.m4a', 1.5);
      await write('manifest.csv', 'path,label,speaker,split\n1.m4a,hap,kim,train\n2.m4a,hap,kim,val\n');
      await run();
      const before = await ages(features);
      await write('manifest.csv', 'path,label,speaker,split\n1.m4a,sad,lee,val\n2.m4a,hap,kim,train\n');
      const { summary } = await run();
      expect([summary.splits.train?.reused, summary.splits.val?.reused]).toEqual([1, 1]);
      expect(await ages(features)).toEqual(
        new Map([
          ['train/speech/2.npy', before.get('val/speech/2.npy')],
          ['val/speech/1.npy', before.get('train/speech/1.npy')],
        ]),
      );
      expect(await listClips(features, 'val')).toMatchObject([
        { stem: '1', speaker: 'lee', labels: { inte: 'sad', face: 'sad', speech: 'sad' } },
      ]);
      expect(summary.warnings).toEqual([]);
    });
  });

  it('is read once more when its files are younger, and not done again when their content is the same', async () => {
    await withCorpus(async ({ folder, features, add, run }) => {
      await add('qia2020/val/1-hap-hap-hap.mp4');
      await run();
      const before = await ages(features);
      const [old] = await listClips(features, 'val');
      await fsp.utimes(path.join(folder, 'qia2020/val/1-hap-hap-hap.mp4'), 1, 1);
      const { summary } = await run();
      expect(summary.splits.val).toMatchObject({ clips: 1, reused: 1 });
      expect(await ages(features)).toEqual(before);
      const [record] = await listClips(features, 'val');
      expect(record?.inputs).toBe(old?.inputs);
      expect(record?.stamp).not.toBe(old?.stamp);
    });
  });

  it('is noticed when a file is replaced by another of its size and age', async () => {
    await withCorpus(async ({ folder, add, run }) => {
      const file = path.join(folder, 'qia2020/val/1-hap-hap-hap.mp4');
      await add('qia2020/val/1-hap-hap-hap.mp4');
      const { size, atime, mtime } = await fsp.stat(file);
      await run();
      await fsp.writeFile(file, Buffer.alloc(size, 'x'));
      await fsp.utimes(file, atime, mtime);
      expect((await run()).failures).toMatchObject([{ code: 'unsupported_media' }]);
    });
  });
});
