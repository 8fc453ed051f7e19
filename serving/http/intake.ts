import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Request, Response } from 'express';
import { Budget, type Share } from '../budget.js';
import { type DataFolder, settleMedia } from '../data-folder.js';
import type { Keep, ServerLimits } from '../limits.js';
import { bodyBytes, type ReceivedForm, receiveForm } from './upload.js';

/** A form on disk, in a folder of its own. */
export interface Upload extends ReceivedForm {
  folder: string;
  /** What it takes of the disk. */
  disk: Share;
}

export interface IntakeOptions {
  data: DataFolder;
  keep: Keep;
  limits: Pick<ServerLimits, 'maxUploadMb' | 'maxUploads' | 'maxQueue' | 'maxDiskMb'>;
  /** Clips that the engine works on at the same time. */
  workers: number;
}

/** Lets clips in, as many as there is room for. Who is refused is refused before the body is read. */
export class Intake {
  readonly #data: DataFolder;
  readonly #keep: Keep;
  readonly #maxUploadBytes: number;
  /** Requests whose body is being received. */
  readonly uploads: Budget;
  /** Clips from the head of their request to their answer. */
  readonly clips: Budget;
  /** Bytes on disk. */
  readonly disk: Budget;

  constructor({ data, keep, limits, workers }: IntakeOptions) {
    this.#data = data;
    this.#keep = keep;
    this.#maxUploadBytes = Math.round(limits.maxUploadMb * 2 ** 20);
    this.uploads = new Budget('it receives as many uploads as it can', limits.maxUploads);
    this.clips = new Budget('as many clips as may wait are waiting', limits.maxQueue + workers);
    this.disk = new Budget('its disk has no room for the clip', limits.maxDiskMb * 2 ** 20);
  }

  /** Whether any clip is between the head of its request and its answer. */
  get busy(): boolean {
    return this.clips.used + this.uploads.used > 0;
  }

  /**
   * Receives a form. The caller hands the upload on or calls `discard`.
   *
   * @throws MerError overloaded or too_large, before the body is read; too_large or bad_field of the body
   */
  async receive(request: Request, response: Response): Promise<Upload> {
    const bytes = bodyBytes(request, this.#maxUploadBytes);
    const place = this.uploads.take();
    try {
      const disk = this.disk.take(bytes);
      const folder = await fsp.mkdtemp(path.join(this.#data.uploads, 'request-'));
      try {
        // Clients that ask first (curl does for large files) have sent nothing so far.
        if (request.headers.expect !== undefined) response.writeContinue();
        const form = await receiveForm(folder, this.#maxUploadBytes, request, response);
        disk.resize(form.bytes);
        return { ...form, folder, disk };
      } catch (error) {
        await discard(folder, disk);
        throw error;
      }
    } finally {
      place.release();
    }
  }

  /** Removes an upload after its clip was answered or refused; its files stay where the server was told to keep them. */
  async settle({ folder, disk, files }: Upload, id: string, failed: boolean): Promise<void> {
    await settleMedia(this.#data, this.#keep, id, files, failed);
    await discard(folder, disk);
  }
}

/** Removes an upload that nobody looks at. */
export async function discard(folder: string, disk: Share): Promise<void> {
  await fsp.rm(folder, { recursive: true, force: true });
  disk.release();
}
