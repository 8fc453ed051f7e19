import crypto from 'node:crypto';
import path from 'node:path';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { isOver, type Job } from '../jobs/job.js';
import { discard } from './intake.js';
import type { RequestLocals } from './request-log.js';
import { clientLeft, type Handler, requireReady, type Service } from './service.js';

/** A stream that says nothing for long is closed by proxies. */
const HEARTBEAT_MS = 15_000;

/** `POST /v1/jobs`: accepts a clip, which is on disk when the client is told so. */
export function createJobRoute(service: Service): Handler {
  const { intake, jobs } = service;
  return async (request, response) => {
    requireReady(service);
    const left = clientLeft(response);
    const place = jobs.reserve();
    try {
      const upload = await intake.receive(request, response);
      const { folder, files, settings, disk } = upload;
      try {
        left.throwIfAborted();
        const job = await jobs.add({
          id: crypto.randomUUID(),
          folder,
          clip: path.basename(files.clip),
          ...(files.words !== undefined && { words: path.basename(files.words) }),
          ...(files.transcript !== undefined && { transcript: path.basename(files.transcript) }),
          settings,
          owner: ownerOf(response),
          disk,
          place,
        });
        response.status(202).location(`/v1/jobs/${job.id}`).json(job);
      } catch (error) {
        await discard(folder, disk);
        throw error;
      }
    } catch (error) {
      place.release();
      throw error;
    }
  };
}

/** `GET /v1/jobs/:id`: how the job stands. */
export function readJobRoute({ jobs }: Service): Handler {
  return async (request, response) => {
    response.json(await jobs.get(idOf(request), ownerOf(response)));
  };
}

/** `DELETE /v1/jobs/:id`: cancels a job that is not over yet. */
export function cancelJobRoute({ jobs }: Service): Handler {
  return async (request, response) => {
    response.json(await jobs.cancel(idOf(request), ownerOf(response)));
  };
}

/**
 * `GET /v1/jobs/:id/events`: the job as it stands, at once and at each change, as server-sent events `progress` and at
 * last one of `done`, `failed` and `cancelled`.
 */
export function jobEventsRoute({ jobs, streams, draining }: Service): Handler {
  return async (request, response) => {
    const [id, owner] = [idOf(request), ownerOf(response)];
    let job = await jobs.get(id, owner);
    const place = streams.take();
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
    const send = (state: Job): void => {
      job = state;
      response.write(`event: ${isOver(job) ? job.status : 'progress'}\ndata: ${JSON.stringify(job)}\n\n`);
      if (isOver(job)) response.end();
    };
    // A job that waits now waits for the next server.
    const end = (): void => void (job.status === 'queued' && response.end());
    const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
    const unfollow = jobs.follow(id, send);
    draining.addEventListener('abort', end);
    response.once('close', () => {
      unfollow();
      clearInterval(heartbeat);
      draining.removeEventListener('abort', end);
      place.release();
    });
    // The job may have gone on since it was read.
    const now = await jobs.get(id, owner);
    if (!response.writableEnded) send(now);
    if (draining.aborted) end();
  };
}

const idSchema = z.string();

function idOf(request: Request): string {
  return idSchema.parse(request.params.id);
}

function ownerOf(response: Response): string | undefined {
  return (response.locals as RequestLocals).client;
}
