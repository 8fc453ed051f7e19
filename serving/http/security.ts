import type { RequestHandler } from 'express';
import helmet from 'helmet';

const SELF = "'self'";
const NONE = "'none'";

/** What a page of ours may load: its own scripts and styles, and pictures and media that it made itself. */
const PAGE_POLICY = {
  defaultSrc: [NONE],
  scriptSrc: [SELF],
  styleSrc: [SELF],
  imgSrc: [SELF, 'blob:', 'data:'],
  mediaSrc: [SELF, 'blob:'],
  fontSrc: [SELF],
  connectSrc: [SELF],
  manifestSrc: [SELF],
  baseUri: [NONE],
  formAction: [SELF],
  frameAncestors: [NONE],
};

/** Headers that keep browsers from what no page of this server needs. */
export function securityHeaders(): RequestHandler[] {
  const policy = (directives: Record<string, string[]>): RequestHandler =>
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives },
      // Whether there is TLS is up to the proxy before this server.
      strictTransportSecurity: false,
      xFrameOptions: { action: 'deny' },
    });
  const [ofPages, ofDocs] = [policy(PAGE_POLICY), policy({ ...PAGE_POLICY, styleSrc: [SELF, "'unsafe-inline'"] })];
  return [
    // Swagger UI writes its styles into its page.
    (request, response, next) => (/^\/docs(\/|$)/.test(request.path) ? ofDocs : ofPages)(request, response, next),
    (_request, response, next) => {
      response.setHeader('Permissions-Policy', 'camera=(self), microphone=(self), geolocation=(), payment=(), usb=()');
      next();
    },
  ];
}

/** Lets scripts of pages of the given origins (`*`: of all) use the API. Without any, browsers refuse them. */
export function crossOrigin(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    const origin = request.get('Origin');
    if (origins.length === 0 || origin === undefined) return next();
    response.vary('Origin');
    if (!origins.includes('*') && !origins.includes(origin)) return next();
    response.setHeader('Access-Control-Allow-Origin', origins.includes('*') ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', 'Location, Retry-After, X-Request-Id');
    if (request.method !== 'OPTIONS') return next();
    response.setHeader('Access-Control-Allow-Methods', 'GET, POST, DELETE');
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, X-API-Key, Content-Type');
    response.setHeader('Access-Control-Max-Age', '3600');
    response.status(204).end();
  };
}
