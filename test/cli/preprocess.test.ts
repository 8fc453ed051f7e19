import fsp from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addPreprocessCommand } from '../../cli/preprocess.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip } from '../preprocessing/helpers.js';

describe('mer preprocess', () => {
  let printed = '';
  beforeEach(() => {
    printed = '';
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += text;
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  async function run(...args: string[]): Promise<void> {
    const program = new Command('mer').exitOverride();
    addPreprocessCommand(program);
    await program.parseAsync(['node', 'mer', 'preprocess', ...args]);
  }

  /** A corpus of one whole and one broken clip, or of the broken one alone. */
  function withCorpus(whole: boolean, use: (folder: string) => Promise<void>): Promise<void> {
    return inTemporaryFolder(async (folder) => {
      const val = path.join(folder, 'qia2020', 'val');
      await fsp.mkdir(val, { recursive: true });
      await fsp.writeFile(path.join(val, '1-hap-hap-hap.mp4'), '');
      if (whole) await fsp.copyFile(goldenClip(2), path.join(val, '2-ang-neu-ang.mp4'));
      await use(folder);
    });
  }

  it('puts the features beside the corpus and prints a summary; some failures are no failure', async () => {
    await withCorpus(true, async (folder) => {
      await run('--corpus', folder, '--max_frames', '4', '--workers', '1');
      await fsp.access(path.join(folder, 'features', 'val', 'video', '2-ang-neu-ang.npy'));
      expect(printed).toMatch(
        /^format merc, split as given\n\nsplit +clips +failed +reused +hours +speakers +speech +face +text +detected\n[- ]+\nval +2 +1 +0 +0\.00 +unknown +1 +1 +0 +\d+\.\d%\n/,
      );
      expect(printed).toContain('1-hap-hap-hap.mp4: The clip is an empty file.');
      expect(process.exitCode).toBeUndefined();
    });
  });

  it('exits with 1 when all clips failed', async () => {
    await withCorpus(false, async (folder) => {
      await run('--corpus', folder, '--features', path.join(folder, 'elsewhere'));
      expect(process.exitCode).toBe(1);
      await fsp.access(path.join(folder, 'elsewhere', 'failures.json'));
    });
  });
});
