import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { asMerError, MerError } from '../../common/errors.js';
import type { RequestLocals } from './request-log.js';

/** Seconds after which a refused client may well be served. */
const RETRY_AFTER: Record<number, string> = { 429: '2', 503: '5' };

/** How long, and how much of, a body is read on after its request was refused. */
const LINGER = { milliseconds: 5000, bytes: 2 ** 28 };

/** Everything that no route answered. */
export const notFound: RequestHandler = (request, _response, next) => {
  next(
    new MerError(
      'not_found',
      `There is no ${request.method} ${request.path} here.`,
      'Send clips to POST /v1/predict; GET /docs lists what there is.',
    ),
  );
};

/** Answers every error as `{error: {code, message, remedy}}` with the status of its code. */
export const errorHandler: ErrorRequestHandler = (thrown: unknown, request, response, next) => {
  if (response.headersSent) {
    next(thrown);
    return;
  }
  const locals = response.locals as RequestLocals;
  const { log } = locals;
  if (response.closed) {
    log.debug({ err: thrown }, 'The client left before it was answered.');
    return;
  }
  const error = asMerError(thrown);
  locals.code = error.code;
  const { code, message, status } = error;
  if (status === 500) log.error({ code, err: thrown }, message);
  else log.info({ code }, message);
  const retryAfter = RETRY_AFTER[status];
  if (retryAfter !== undefined && !response.hasHeader('Retry-After')) response.setHeader('Retry-After', retryAfter);
  if (!request.complete) closeGently(request, response);
  response.status(status).json({ error: error.toJSON() });
};

/**
 * Ends the connection of a client that may be sending its body still. Were it closed at once, the bytes that come
 * after that would have the client's system throw the answer away unread.
 */
function closeGently(request: Request, response: Response): void {
  if (request.headers.expect !== undefined) {
    // It waits for leave to send: nothing comes.
    response.setHeader('Connection', 'close');
    return;
  }
  response.once('finish', () => {
    const close = (): void => void request.socket.destroy();
    const timer = setTimeout(close, LINGER.milliseconds);
    let left = LINGER.bytes;
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) close();
    });
    request.once('close', () => clearTimeout(timer));
    request.resume();
  });
}
