import fsp from 'node:fs/promises';
import path from 'node:path';
import { asMerError } from '../../common/errors.js';
import { readJson, syncToDisk, writeJsonAtomic } from '../../common/files.js';
import { MEDIA_FIELDS, type MediaFiles } from '../data-folder.js';
import { type StoredJob, storedJobSchema } from './job.js';

const JOB_FILE = 'job.json';

/** Jobs on disk: one folder each, with job.json and, until the job is over, the files of its clip. */
export class JobStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Takes a folder that holds the files of a new job. When the promise resolves the job outlives a power cut.
   *
   * @param folder on the same file system as the store
   */
  async add(job: StoredJob, folder: string): Promise<void> {
    for (const field of MEDIA_FIELDS) {
      const name = job[field];
      if (name !== undefined) await syncToDisk(path.join(folder, name));
    }
    await writeJsonAtomic(path.join(folder, JOB_FILE), job, { durable: true });
    await fsp.rename(folder, this.#folder(job.id));
    await syncToDisk(this.#directory);
  }

  async update(job: StoredJob): Promise<void> {
    await writeJsonAtomic(path.join(this.#folder(job.id), JOB_FILE), job, { durable: true });
  }

  /** @throws MerError not_found or bad_file */
  async read(id: string): Promise<StoredJob> {
    return readJson(path.join(this.#folder(id), JOB_FILE), storedJobSchema);
  }

  async remove(id: string): Promise<void> {
    await fsp.rm(this.#folder(id), { recursive: true, force: true });
  }

  /** The files of a job's clip. */
  files({ id, clip, words, transcript }: StoredJob): MediaFiles {
    const file = (name: string): string => path.join(this.#folder(id), path.basename(name));
    return {
      clip: file(clip),
      ...(words !== undefined && { words: file(words) }),
      ...(transcript !== undefined && { transcript: file(transcript) }),
    };
  }

  /** All jobs, oldest first. `onUnreadable` is told of folders whose job.json cannot be read; they stay as they are. */
  async all(onUnreadable: (message: string) => void): Promise<StoredJob[]> {
    const jobs: StoredJob[] = [];
    for (const id of await fsp.readdir(this.#directory)) {
      try {
        jobs.push(await this.read(id));
      } catch (error) {
        onUnreadable(asMerError(error).message);
      }
    }
    return jobs.sort((a, b) => a.created.localeCompare(b.created));
  }

  #folder(id: string): string {
    return path.join(this.#directory, path.basename(id));
  }
}
