import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { MerError } from '../../common/errors.js';
import type { RequestLocals } from './request-log.js';

const MINUTE_MS = 60_000;

/** Refuses who sends more than `ratePerMinute` clips in a minute: an API key or, without keys, an address. 0: nobody. */
export function limitRate(ratePerMinute: number): RequestHandler {
  if (ratePerMinute === 0) return (_request, _response, next) => next();
  return rateLimit({
    windowMs: MINUTE_MS,
    limit: ratePerMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Whose word about addresses counts is said by --trust_proxy.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    keyGenerator: (request, response) => {
      const { client } = response.locals as RequestLocals;
      return client === undefined ? `address ${ipKeyGenerator(request.ip ?? '')}` : `key ${client}`;
    },
    handler: (_request, _response, next) => {
      const message = `More than ${ratePerMinute} clips a minute were sent.`;
      next(new MerError('rate_limited', message, 'Wait as long as Retry-After says.'));
    },
  });
}
