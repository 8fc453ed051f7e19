import type { ErrorRequestHandler, RequestHandler } from 'express';
import { asMerError, MerError } from '../../common/errors.js';
import type { RequestLocals } from './request-log.js';

/** Seconds after which a refused client may well be served. */
const RETRY_AFTER: Record<number, string> = { 429: '2', 503: '5' };

/** Everything that no route answered. */
export const notFound: RequestHandler = (request, _response, next) => {
  next(
    new MerError(
      'not_found',
      `There is no ${request.method} ${request.path} here.`,
      'Send clips to POST /v1/predict; see also GET /health/live, GET /health/ready and GET /metrics.',
    ),
  );
};

/** Answers every error as `{error: {code, message, remedy}}` with the status of its code. */
export const errorHandler: ErrorRequestHandler = (thrown: unknown, _request, response, next) => {
  if (response.headersSent) {
    next(thrown);
    return;
  }
  const error = asMerError(thrown);
  const { log } = response.locals as RequestLocals;
  const { code, message, status } = error;
  if (status >= 500) log.error({ code, err: thrown }, message);
  else log.info({ code }, message);
  const retryAfter = RETRY_AFTER[status];
  if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
  response.status(status).json({ error: error.toJSON() });
};
