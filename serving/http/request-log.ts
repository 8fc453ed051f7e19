import crypto from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { ErrorCode } from '../../common/errors.js';
import { CLIP_ROUTES, routeName } from './routes.js';

/** The header that carries the id of a request, in answers and in every log line about it. */
export const REQUEST_ID_HEADER = 'X-Request-Id';

/** What `requestLog` leaves in `res.locals` for the handlers after it. */
export interface RequestLocals {
  log: Logger;
  requestId: string;
  /** The name of the API key, where keys are asked for. */
  client?: string;
  /** What the request was refused with. */
  code?: ErrorCode;
}

/**
 * Gives every request an id of ours and writes one line when it is over: method, path, status, seconds. Nothing of
 * the media or of the answer is logged.
 */
export function requestLog(log: Logger): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    const requestId = crypto.randomUUID();
    const requestLogger = log.child({ requestId });
    Object.assign(response.locals, { log: requestLogger, requestId } satisfies RequestLocals);
    response.setHeader(REQUEST_ID_HEADER, requestId);
    response.once('close', () => {
      const route = routeName(request);
      const line = {
        method: request.method,
        route,
        status: response.writableFinished ? response.statusCode : CLIENT_LEFT,
        seconds: (performance.now() - start) / 1000,
        client: (response.locals as RequestLocals).client,
      };
      if (CLIP_ROUTES.includes(route)) requestLogger.info(line, 'request');
      else requestLogger.debug(line, 'request');
    });
    next();
  };
}

/** Stands for the status in logs and metrics where the client went before it was answered (as nginx has it). */
export const CLIENT_LEFT = 499;
