import { type ChildProcess, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../common/random.js';
import { listClips, loadClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { testClips } from '../helpers/test-clips.js';
import { listTree, type TestCorpus, withCorpus } from './corpus-helpers.js';

const MER = fileURLToPath(new URL('../helpers/mer.ts', import.meta.url));
const CLIPS = 4;

/** A process, its children and theirs, by their identifiers and command lines; those that have ended are left out. */
function family(pid: number): { pid: number; command: string }[] {
  try {
    // A process that has ended and that nobody has waited for yet has no command line any more.
    const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const children = fs
      .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
    return command === '' ? [] : [{ pid, command }, ...children.flatMap(family)];
  } catch {
    return [];
  }
}

class Run {
  readonly #child: ChildProcess;
  readonly ended: Promise<unknown>;

  constructor(folder: string) {
    const args = ['preprocess', '--corpus', folder, '--max_frames', '2', '--workers', '2'];
    this.#child = spawn(process.execPath, ['--import', 'tsx', MER, ...args], { stdio: 'ignore' });
    this.ended = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get family(): { pid: number; command: string }[] {
    return family(this.#child.pid!);
  }

  /** Waits until a clip is being decoded, or until there is nothing left to do. */
  async atWork(): Promise<void> {
    while (this.exitCode === null && !this.family.some(({ command }) => /^ff(mpeg|probe) /.test(command)))
      await sleep(5);
  }

  kill(who: 'parent' | 'worker', signal: 'SIGKILL' | 'SIGINT'): void {
    const victim = who === 'parent' ? this.#child : this.family.find(({ command }) => command.includes('clip-worker'));
    if (victim?.pid !== undefined && this.exitCode === null) process.kill(victim.pid, signal);
  }
}

async function fill({ folder }: TestCorpus): Promise<void> {
  const { whole } = await testClips();
  await fsp.mkdir(path.join(folder, 'val', 'hap'), { recursive: true });
  for (let i = 0; i < CLIPS; i++) await fsp.copyFile(whole, path.join(folder, 'val', 'hap', `${i}.mp4`));
}

/** Hashes of all feature files; of records without what depends on the times of the clips' files. */
async function contents({ features }: TestCorpus): Promise<Record<string, string>> {
  const files = (await listTree(features)).filter((file) => file !== 'summary.json');
  const hashes = files.map(async (file) => {
    const bytes = await fsp.readFile(path.join(features, file), 'latin1');
    return [
      file,
      crypto
        .createHash('sha256')
        .update(bytes.replace(/"stamp": "\w+"/, ''))
        .digest('hex'),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}

/** Every record stands for files that are there and whole: they hold the bytes that their headers state. */
async function expectWholeClips({ features }: TestCorpus): Promise<void> {
  for (const record of await listClips(features, 'val')) {
    expect(await loadClipFeatures(features, 'val', record)).toMatchObject({ face: { frames: 2 } });
  }
}

describe('preprocessing', () => {
  let undisturbed: Record<string, string>;
  beforeAll(async () => {
    await withCorpus(async (corpus) => {
      await fill(corpus);
      await new Run(corpus.folder).ended;
      undisturbed = await contents(corpus);
    });
  });

  it.each([
    { who: 'parent', signal: 'SIGKILL', when: ['starting', 'working'] },
    { who: 'worker', signal: 'SIGKILL', when: ['working'] },
    { who: 'parent', signal: 'SIGINT', when: ['working'] },
  ] as const)(
    'survives $signal of a $who: whole files, no process left, and all as if nothing had been',
    async ({ who, signal, when }) => {
      await withCorpus(async (corpus) => {
        await fill(corpus);
        const random = Random.for(1, who, signal);
        for (const moment of when) {
          // Without its record a clip is done again, over the files that are there.
          await fsp.rm(path.join(corpus.features, 'val', 'clips'), { recursive: true, force: true });
          const run = new Run(corpus.folder);
          if (moment === 'working') await run.atWork();
          await sleep(random.between(0, 400));
          const family = run.family;
          run.kill(who, signal);
          await run.ended;
          for (const { pid, command } of family) {
            while (lives(pid, command)) await sleep(10);
          }
          await expectWholeClips(corpus);
        }
        const last = new Run(corpus.folder);
        await last.ended;
        expect(last.exitCode).toBe(0);
        expect(await contents(corpus)).toEqual(undisturbed);
      });
    },
  );
});

/** Whether a process still is what it was, and not another one of its number. */
function lives(pid: number, command: string): boolean {
  return family(pid)[0]?.command === command;
}
