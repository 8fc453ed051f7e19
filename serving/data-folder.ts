import fsp from 'node:fs/promises';
import path from 'node:path';
import { isRunning, processStart } from '../common/child.js';
import { MerError } from '../common/errors.js';
import type { ClipFiles } from './engine/tasks.js';
import type { Keep } from './limits.js';

/** What a server writes to disk. */
export interface DataFolder {
  /** Requests that are being received or answered; empty at each start. */
  uploads: string;
  /** One folder a job. */
  jobs: string;
  /** Media that stays after its clip was answered, where that was asked for. */
  kept: string;
  /** Lets another server have the folder. */
  unlock(): Promise<void>;
}

/**
 * Makes the folder for one server alone, and removes what an earlier one was receiving when it was killed.
 *
 * @throws MerError bad_argument when it cannot be written to or another server has it
 */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  const lock = path.join(folder, 'lock');
  const data = {
    uploads: path.join(folder, 'uploads'),
    jobs: path.join(folder, 'jobs'),
    kept: path.join(folder, 'kept'),
    unlock: () => fsp.rm(lock, { force: true }),
  };
  try {
    await fsp.mkdir(data.jobs, { recursive: true, mode: 0o700 });
    await takeLock(lock);
    await fsp.rm(data.uploads, { recursive: true, force: true });
    await fsp.mkdir(data.uploads, { mode: 0o700 });
  } catch (error) {
    if (error instanceof MerError) throw error;
    throw new MerError(
      'bad_argument',
      `The data folder ${folder} cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
      'Name a folder that can be written to with --data_dir.',
      { cause: error },
    );
  }
  return data;
}

/**
 * A file that names its process and when it started: after a crash or a reboot the number may be another process's. That
 * of a process that is gone counts for nothing.
 */
async function takeLock(lock: string): Promise<void> {
  const [number, start = ''] = (await fsp.readFile(lock, 'utf8').catch(() => '')).split(' ');
  const owner = Number(number || 'NaN');
  // In a container every server may have the same process number.
  if (Number.isInteger(owner) && owner !== process.pid && isRunning(owner) && processStart(owner) === start) {
    throw new MerError(
      'bad_argument',
      `The data folder ${path.dirname(lock)} belongs to the running process ${owner}.`,
      'Give each server a folder of its own with --data_dir.',
    );
  }
  await fsp.rm(lock, { force: true });
  await fsp.writeFile(lock, `${process.pid} ${processStart(process.pid)}`, { flag: 'wx' });
}

/** The files that a client sent, under names of ours. */
export interface MediaFiles {
  clip: string;
  words?: string;
  transcript?: string;
}

export const MEDIA_FIELDS = ['clip', 'words', 'transcript'] as const;

/**
 * Removes the files of a clip that was answered or refused, or moves them to `kept/<id>/` where `keep` says so. Files
 * that are gone already are passed over.
 */
export async function settleMedia(
  data: DataFolder,
  keep: Keep,
  id: string,
  files: MediaFiles,
  failed: boolean,
): Promise<void> {
  const stays = keep === 'all' || (keep === 'failed' && failed);
  const folder = path.join(data.kept, id);
  if (stays) await fsp.mkdir(folder, { recursive: true, mode: 0o700 });
  for (const field of MEDIA_FIELDS) {
    const file = files[field];
    if (file === undefined) continue;
    if (stays) await fsp.rename(file, path.join(folder, field)).catch(ignoreMissing);
    else await fsp.rm(file, { force: true });
  }
}

/** The files as the engine takes them: a transcript by its text. */
export async function clipFiles({ transcript, ...files }: MediaFiles): Promise<ClipFiles> {
  return transcript === undefined ? files : { ...files, transcript: await fsp.readFile(transcript, 'utf8') };
}

/** What the files take of the disk; those that are not there count nothing. */
export async function mediaBytes(files: MediaFiles): Promise<number> {
  const sizes = Object.values<string>({ ...files }).map(async (file) => (await fsp.stat(file).catch(() => null))?.size);
  return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
