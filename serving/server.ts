import { once } from 'node:events';
import fsp from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MerError } from '../common/errors.js';
import { DEFAULT_LIMITS } from '../preprocessing/media/media-limits.js';
import { defaultWorkers, Engine, type EngineOptions } from './engine/engine.js';
import { readApiKeys } from './http/api-keys.js';
import { createApp } from './http/app.js';
import { createMetrics } from './http/metrics.js';
import type { Keep, ServerLimits } from './limits.js';
import { type OpenService, openService } from './open-service.js';

export interface ServerOptions extends Omit<EngineOptions, 'onEvent' | 'maxQueue'> {
  bundleDir: string;
  /** 0 takes any free port. */
  port: number;
  host: string;
  /** The folder of uploads and jobs; without one a temporary folder, which is gone with the server. */
  dataDir?: string;
  limits: ServerLimits;
  keep: Keep;
  /** A file for `readApiKeys`; without one the API is open to all. */
  apiKeysFile?: string;
  corsOrigins: readonly string[];
  trustedProxies: number;
  log: Logger;
}

export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  url: string;
  engine: Engine;
  /** Stops taking clips, lets those in work finish for `limits.drainSeconds`, and ends all processes. */
  close(): Promise<void>;
}

/** How long the last refusals may take to reach their clients. */
const LAST_WORDS_MS = 1000;
/** How often Node looks for connections that are over their time. */
const CONNECTION_CHECK_MS = 1000;

/**
 * Starts the engine, warms it up, and serves it over HTTP.
 *
 * @throws MerError those of `Engine.create`, `openService` and `readApiKeys`; bad_argument when the address cannot be
 *   had or the limits contradict each other
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { bundleDir, port, host, dataDir, limits, keep, apiKeysFile, corsOrigins, trustedProxies, log, ...ofEngine } =
    options;
  requireRoom(limits);
  const apiKeys = apiKeysFile === undefined ? undefined : await readApiKeys(apiKeysFile);
  const metrics = createMetrics();
  const workers = ofEngine.workers ?? defaultWorkers();
  const engine = await Engine.create(bundleDir, {
    ...ofEngine,
    workers,
    // Clips are refused before they come so far; as many as the processes take are of jobs.
    maxQueue: limits.maxQueue + workers,
    onEvent(event) {
      if (event.type !== 'batch') log.warn(event, event.message);
      metrics.engineEvent(event);
    },
  });
  const temporary = dataDir === undefined ? await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-serve-')) : undefined;
  let service: OpenService | undefined;
  const release = async (): Promise<void> => {
    await engine.dispose();
    await service?.close();
    if (temporary !== undefined) await fsp.rm(temporary, { recursive: true, force: true });
  };
  try {
    service = await openService({
      engine,
      workers,
      transcripts: ofEngine.wordTable !== undefined,
      dataDir: dataDir ?? temporary!,
      limits,
      maxClipSeconds: (ofEngine.mediaLimits ?? DEFAULT_LIMITS).maxSeconds,
      keep,
      metrics,
      log,
    });
    const app = createApp({ ...service, limits, ...(apiKeys && { apiKeys }), corsOrigins, trustedProxies });
    const server = createServer(app, limits);
    await listen(server, port, host);
    const { drain } = service;
    return {
      url: urlOf(server, host),
      engine,
      async close() {
        const deadline = AbortSignal.timeout(limits.drainSeconds * 1000);
        const overdue = once(deadline, 'abort');
        // Who asks in the meantime is told that the server is stopping.
        await drain(deadline);
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeIdleConnections();
        await Promise.race([closed, overdue]);
        // Clips that are still in work are refused, and their clients told so, before the connections go.
        await engine.dispose();
        await Promise.race([closed, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
        server.closeAllConnections();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

function createServer(app: http.RequestListener, limits: ServerLimits): http.Server {
  const handle: http.RequestListener = (request, response) => {
    // Once no new connection is taken, one that was kept alive would hold up the end. Before that, who asks on it is
    // told that the server is stopping.
    response.once('close', () => setImmediate(() => !server.listening && server.closeIdleConnections()));
    app(request, response);
  };
  const server = http.createServer(
    {
      headersTimeout: limits.headersTimeoutSeconds * 1000,
      requestTimeout: limits.requestTimeoutSeconds * 1000,
      keepAliveTimeout: limits.keepAliveSeconds * 1000,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
    },
    handle,
  );
  // Leave to send a body is given when the request is let in, not before.
  server.on('checkContinue', handle);
  server.maxConnections = limits.maxConnections;
  return server;
}

/** @throws MerError bad_argument */
function requireRoom({ maxUploadMb, maxDiskMb, headersTimeoutSeconds, requestTimeoutSeconds }: ServerLimits): void {
  // The clip and the words may each be as large as a file may be.
  if (maxDiskMb <= 2 * maxUploadMb) {
    throw new MerError(
      'bad_argument',
      `--max_disk_mb ${maxDiskMb} has no room for two files of --max_upload_mb ${maxUploadMb}.`,
      'Give it more than twice as much.',
    );
  }
  if (headersTimeoutSeconds > requestTimeoutSeconds) {
    throw new MerError(
      'bad_argument',
      '--headers_timeout_seconds is more than --request_timeout_seconds.',
      'Give the head of a request no more time than all of it.',
    );
  }
}

function urlOf(server: http.Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listen(server: http.Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `Cannot listen on ${host}:${port}: ${String(cause)}.`;
      reject(new MerError('bad_argument', message, 'Choose another --port.', { cause }));
    });
    server.listen(port, host, resolve);
  });
}
