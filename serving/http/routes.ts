import type { Request } from 'express';

/** The routes that take a clip. */
export const CLIP_ROUTES: readonly string[] = ['POST /v1/predict', 'POST /v1/jobs'];

/**
 * The route of a request as named in logs and metrics, such as `GET /v1/jobs/:id`. All that no route answered counts
 * as `other`, so that labels of metrics stay few whatever clients ask for.
 */
export function routeName(request: Request): string {
  const route: { path?: unknown } | undefined = request.route;
  return typeof route?.path === 'string' ? `${request.method} ${route.path}` : 'other';
}
