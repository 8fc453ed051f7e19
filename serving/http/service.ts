import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { MerError } from '../../common/errors.js';
import type { Budget } from '../budget.js';
import type { Engine } from '../engine/engine.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Intake } from './intake.js';
import type { Metrics } from './metrics.js';
import type { Model } from './schemas.js';

/** What the handlers of requests work with. */
export interface Service {
  engine: Engine;
  intake: Intake;
  jobs: Jobs;
  metrics: Metrics;
  /** Event streams that are open. */
  streams: Budget;
  model(): Model;
  /** Aborted when the server is about to stop: readiness is off then, and new clips are refused. */
  draining: AbortSignal;
  log: Logger;
}

/** @throws MerError not_ready when no clip can be answered now */
export function requireReady({ engine, draining }: Pick<Service, 'engine' | 'draining'>): void {
  if (draining.aborted) {
    throw new MerError('not_ready', 'The server is stopping.', 'Send the clip to another server.');
  }
  if (!engine.ready) {
    throw new MerError('not_ready', 'A process of the engine is being replaced.', 'Try again in a few seconds.');
  }
}

/** Aborted when the client goes before it was answered. */
export function clientLeft(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

export type Handler = (request: Request, response: Response) => void | Promise<void>;
