import type { Request } from 'express';

/** The routes of the API; all else counts as `other`, so that labels of metrics stay few whatever clients ask for. */
export const ROUTES = {
  predict: 'POST /v1/predict',
  live: 'GET /health/live',
  ready: 'GET /health/ready',
  metrics: 'GET /metrics',
} as const;

/** The route of a request as named in logs and metrics. */
export function routeName(request: Request): string {
  const name = `${request.method} ${request.path}`;
  return Object.values<string>(ROUTES).includes(name) ? name : 'other';
}
