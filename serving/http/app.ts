import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { asMerError, MerError } from '../../common/errors.js';
import type { Answer } from '../answer.js';
import type { Engine } from '../engine/engine.js';
import type { ClipFiles } from '../engine/tasks.js';
import { errorHandler, notFound } from './error-handler.js';
import { createMetrics } from './metrics.js';
import { requestLog } from './request-log.js';
import { type UploadLimits, withUpload } from './upload.js';

export interface AppOptions extends UploadLimits {
  engine: Engine;
  /** A private folder for uploads, which the caller makes and removes. */
  uploadDir: string;
  log: Logger;
  /** Whether the server is about to stop: readiness is off then, and new clips are refused. */
  draining(): boolean;
}

/**
 * The HTTP interface of an engine: `POST /v1/predict`, `GET /health/live`, `GET /health/ready`, `GET /metrics`.
 * Every error is `{error: {code, message, remedy}}` with a status of the table in common/errors.ts.
 */
export function createApp({ engine, uploadDir, maxUploadBytes, log, draining }: AppOptions): Express {
  const app = express();
  const metrics = createMetrics(engine);
  app.disable('x-powered-by');
  app.use(requestLog(log), metrics.middleware);

  app.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });

  app.get('/health/ready', (_request, response) => {
    requireReady(engine, draining);
    const { device, fallback } = engine.info;
    const { name, version } = engine.bundle;
    response.json({ status: 'ready', model: { name, version, device }, ...(fallback !== undefined && { fallback }) });
  });

  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });

  app.post('/v1/predict', async (request, response) => {
    requireReady(engine, draining);
    const answer = await withUpload(uploadDir, { maxUploadBytes }, request, response, (files) =>
      predictUpload(engine, files),
    );
    metrics.observe(answer);
    response.json(answer);
  });

  app.use(notFound, errorHandler);
  return app;
}

function requireReady(engine: Engine, draining: () => boolean): void {
  if (draining()) throw new MerError('not_ready', 'The server is stopping.', 'Send the clip to another server.');
  if (!engine.ready) {
    throw new MerError('not_ready', 'A process of the engine is being replaced.', 'Try again in a few seconds.');
  }
}

/** Errors about a file name its path; clients are told the name of the field instead. */
async function predictUpload(engine: Engine, files: ClipFiles): Promise<Answer> {
  try {
    return await engine.predict(files);
  } catch (thrown) {
    const { code, message, remedy } = asMerError(thrown);
    const { transcript: _, ...paths } = files;
    const told = Object.entries(paths).reduce((text, [field, file]) => text.replaceAll(file, field), message);
    throw new MerError(code, told, remedy, { cause: thrown });
  }
}
