import fsp from 'node:fs/promises';
import path from 'node:path';
import { MTCNN_DIR } from '../../common/paths.js';
import type { WorkerSettings } from '../../preprocessing/corpus/clip-worker-protocol.js';
import { type CorpusOptions, preprocessCorpus } from '../../preprocessing/corpus/corpus.js';
import { type CorpusClips, type CorpusSource, listCorpus } from '../../preprocessing/corpus/corpus-clips.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, runFfmpeg } from './helpers.js';

export const SPLIT = { seed: 1, valShare: 0.25, testShare: 0 };

export interface TestCorpus {
  folder: string;
  features: string;
  /** Puts a short sound-only clip, which costs little, under a name such as `qia2020/train/1-hap-hap-hap.mp4`. */
  add(name: string, seconds?: number): Promise<void>;
  /** Puts a file of any content. */
  write(name: string, content?: string | Uint8Array): Promise<void>;
  list(options?: Partial<CorpusSource>): Promise<CorpusClips>;
  run(options?: Partial<CorpusOptions>): ReturnType<typeof preprocessCorpus>;
}

/** An empty corpus in a temporary folder. */
export async function withCorpus(use: (corpus: TestCorpus) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const features = path.join(folder, 'features');
    const source: CorpusSource = { corpusDir: folder, format: 'auto', ravdessCalm: 'neu', split: SPLIT };
    const place = async (name: string): Promise<string> => {
      const file = path.join(folder, name);
      await fsp.mkdir(path.dirname(file), { recursive: true });
      return file;
    };
    await use({
      folder,
      features,
      async add(name, seconds = 1) {
        const file = await place(name);
        await runFfmpeg('-ss', '1', '-t', `${seconds}`, '-i', goldenClip(2), '-vn', '-c:a', 'copy', '-f', 'mp4', file);
      },
      async write(name, content = '') {
        await fsp.writeFile(await place(name), content);
      },
      list: (options = {}) => listCorpus({ ...source, ...options }),
      run: (options = {}) =>
        preprocessCorpus({
          ...source,
          featuresDir: features,
          compat: 'default',
          maxFrames: 8,
          // Most tests have a clip or two: a second process would cost more than it does.
          workers: 1,
          ...options,
        }),
    });
  });
}

export function workerSettings(features: string): WorkerSettings {
  return { featuresDir: features, netsDir: MTCNN_DIR, compat: 'default', maxFrames: 8, subject: 'largest' };
}

/** Paths of all files below a folder, relative to it, sorted. */
export async function listTree(folder: string): Promise<string[]> {
  const entries = await fsp.readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name))).sort();
}
