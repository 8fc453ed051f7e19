import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** What a thread without compiled code runs first: Node 20 cannot start one from a TypeScript file. */
const FROM_SOURCE = `
  const { workerData } = require('node:worker_threads');
  import(workerData.tsx).then(({ register }) => { register(); return import(workerData.module); });
`;

/**
 * Starts a module of this project as a worker thread. Works from the TypeScript sources (tests, through tsx) and from
 * dist/ alike: name the module as `new URL('./worker.js', import.meta.url)`. It finds `data` as `workerData.data`.
 */
export function startThread(module: URL, data: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(module, { workerData: { data } });
  const source = pathToFileURL(fileURLToPath(module).replace(/\.js$/, '.ts')).href;
  // The CommonJS half of tsx, which is what is resolved here, cannot register its loader from a thread.
  const commonJs = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api'));
  const tsx = new URL('./index.mjs', commonJs).href;
  return new Worker(FROM_SOURCE, { eval: true, execArgv: [], workerData: { module: source, tsx, data } });
}
