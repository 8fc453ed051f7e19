import fsp from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from 'pino';
import { MerError } from '../common/errors.js';
import { Engine, type EngineOptions } from './engine/engine.js';
import { createApp } from './http/app.js';

export interface ServerOptions extends Omit<EngineOptions, 'onEvent'> {
  bundleDir: string;
  /** 0 takes any free port. */
  port: number;
  host: string;
  maxUploadBytes: number;
  log: Logger;
}

export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  url: string;
  engine: Engine;
  /** Stops taking clips, lets those in work finish for up to 30 s, and ends all processes. */
  close(): Promise<void>;
}

/** How long clips in work may take to finish when the server stops. */
const DRAIN_MS = 30_000;

/**
 * Starts the engine, warms it up, and serves it over HTTP.
 *
 * @throws MerError those of `Engine.create`; bad_argument when the address cannot be had
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { bundleDir, port, host, maxUploadBytes, log, ...engineOptions } = options;
  const engine = await Engine.create(bundleDir, {
    ...engineOptions,
    onEvent: (event) => event.type !== 'batch' && log.warn(event, event.message),
  });
  const uploadDir = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-uploads-'));
  let draining = false;
  const app = createApp({ engine, uploadDir, maxUploadBytes, log, draining: () => draining });
  const server = http.createServer((request, response) => {
    // While draining, a connection that was kept alive would hold up the end.
    response.once('close', () => setImmediate(() => draining && server.closeIdleConnections()));
    app(request, response);
  });
  const release = async (): Promise<void> => {
    await engine.dispose();
    await fsp.rm(uploadDir, { recursive: true, force: true });
  };
  try {
    await listen(server, port, host);
  } catch (error) {
    await release();
    throw new MerError(
      'bad_argument',
      `Cannot listen on ${host}:${port}: ${String(error)}.`,
      'Choose another --port.',
      {
        cause: error,
      },
    );
  }
  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    engine,
    async close() {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const overdue = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearTimeout(overdue);
      await release();
    },
  };
}

function listen(server: http.Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
