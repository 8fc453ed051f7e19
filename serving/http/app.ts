import express, { type Express, type RequestHandler } from 'express';
import type { ServerLimits } from '../limits.js';
import { createPage } from '../page/page.js';
import { type ApiKey, requireApiKey } from './api-keys.js';
import { docsRoutes } from './docs-route.js';
import { errorHandler, notFound } from './error-handler.js';
import { cancelJobRoute, createJobRoute, jobEventsRoute, readJobRoute } from './job-routes.js';
import { predictRoute } from './predict-route.js';
import { limitRate } from './rate-limit.js';
import { requestLog } from './request-log.js';
import { crossOrigin, securityHeaders } from './security.js';
import { requireReady, type Service } from './service.js';

export interface AppOptions extends Service {
  limits: Pick<ServerLimits, 'ratePerMinute'>;
  /** Without keys everybody may use the API. */
  apiKeys?: readonly ApiKey[];
  /** Origins whose pages may use the API; `*`: all. */
  corsOrigins: readonly string[];
  /** Proxies before this server whose word on the client's address counts. */
  trustedProxies: number;
}

/**
 * The HTTP interface of an engine, as GET /openapi.json describes it. Every error is
 * `{error: {code, message, remedy}}` with a status of the table in common/errors.ts.
 */
export function createApp(options: AppOptions): Express {
  const { engine, metrics, log, limits, apiKeys, corsOrigins, trustedProxies } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', trustedProxies);
  app.use(requestLog(log), metrics.middleware, securityHeaders(), crossOrigin(corsOrigins));

  const live =
    (body: object): RequestHandler =>
    (_request, response) =>
      void response.json(body);
  app.get('/health/live', live({ status: 'live' }));
  app.get('/v2/health/live', live({ live: true }));
  app.get('/health/ready', (_request, response) => {
    requireReady(options);
    const { device, fallback } = engine.info;
    const { name, version } = engine.bundle;
    response.json({ status: 'ready', model: { name, version, device }, ...(fallback !== undefined && { fallback }) });
  });
  app.get('/v2/health/ready', (_request, response) => {
    requireReady(options);
    response.json({ ready: true });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });

  app.use('/v1', (_request, response, next) => {
    // Answers are about people.
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  const key = requireApiKey(apiKeys);
  const rate = limitRate(limits.ratePerMinute);
  app.post('/v1/predict', key, rate, predictRoute(options));
  app.post('/v1/jobs', key, rate, createJobRoute(options));
  app.get('/v1/jobs/:id', key, readJobRoute(options));
  app.delete('/v1/jobs/:id', key, cancelJobRoute(options));
  app.get('/v1/jobs/:id/events', key, jobEventsRoute(options));
  app.get('/v1/models', key, (_request, response) => {
    response.json({ models: [options.model()] });
  });

  app.use(docsRoutes());
  app.use(createPage());
  app.use(notFound, errorHandler);
  return app;
}
