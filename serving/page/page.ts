import fsp from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Router } from 'express';
import { PROJECT_ROOT } from '../../common/paths.js';

/** Markup, styles and icon. */
const STATIC_DIR = path.join(PROJECT_ROOT, 'serving', 'page', 'static');
/** The browser's modules: JavaScript where this file is compiled, else TypeScript. */
const CLIENT_DIR = fileURLToPath(new URL('./client/', import.meta.url));
const COMPILED = import.meta.url.endsWith('.js');

/** Asked for again each time and answered with 304 when unchanged: page and server are always of one version. */
const revalidated: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-cache');
  next();
};

/**
 * The web page: `GET /` and what it loads under `/page/`. It needs no key and holds no secret; the clips that it sends
 * go through the same API as everybody's. What it may load is up to the app's security headers.
 */
export function createPage(): Router {
  const router = express.Router();
  router.get('/', revalidated, (_request, response) => {
    response.sendFile(path.join(STATIC_DIR, 'index.html'));
  });
  router.use(
    '/page',
    revalidated,
    express.static(STATIC_DIR, { index: false, redirect: false }),
    COMPILED ? express.static(CLIENT_DIR, { index: false, redirect: false }) : transpiled,
  );
  return router;
}

/** From the sources, as in tests, each module loses its types when it is asked for: no compiled copy can be stale. */
const transpiled: RequestHandler = async (request, response, next) => {
  const name = /^\/([a-z-]+)\.js$/.exec(request.path)?.[1];
  const source =
    name === undefined ? null : await fsp.readFile(path.join(CLIENT_DIR, `${name}.ts`), 'utf8').catch(() => null);
  if (source === null) {
    next();
    return;
  }
  const { default: typescript } = await import('typescript');
  const { outputText } = typescript.transpileModule(source, {
    compilerOptions: {
      target: typescript.ScriptTarget.ES2022,
      module: typescript.ModuleKind.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  response.type('js').send(outputText);
};
