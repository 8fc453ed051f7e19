import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Express } from 'express';
import { pino } from 'pino';
import { Engine } from '../../serving/engine/engine.js';
import { type AppOptions, createApp } from '../../serving/http/app.js';
import { createMetrics, type Metrics } from '../../serving/http/metrics.js';
import { DEFAULT_SERVER_LIMITS, type Keep, type ServerLimits } from '../../serving/limits.js';
import { type OpenService, openService } from '../../serving/open-service.js';
import { tinyBundle } from './tiny-bundle.js';

export interface TestApp {
  app: Express;
  engine: Engine;
  service: OpenService;
  dataDir: string;
  uploadDir: string;
  /** The lines that were logged so far. */
  logged: string[];
  close(): Promise<void>;
}

export interface TestAppOptions extends Partial<Pick<AppOptions, 'apiKeys' | 'corsOrigins' | 'trustedProxies'>> {
  limits?: Partial<ServerLimits>;
  keep?: Keep;
  /** An engine that the caller disposes of. */
  engine?: Engine;
  /** A data folder that the caller removes. */
  dataDir?: string;
}

/** The engine of `testApp`: one preprocessing process. */
export async function testEngine(metrics?: Metrics): Promise<Engine> {
  const onEvent = metrics?.engineEvent ?? (() => {});
  return Engine.create(await tinyBundle(), { device: 'cpu', threads: 1, workers: 1, onEvent });
}

/** The real app over the real engine with the tiny bundle. */
export async function testApp({ limits, keep = 'none', ...options }: TestAppOptions = {}): Promise<TestApp> {
  const metrics = createMetrics();
  const engine = options.engine ?? (await testEngine(metrics));
  const dataDir = options.dataDir ?? (await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-data-')));
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const bounds = { ...DEFAULT_SERVER_LIMITS, maxUploadMb: 1, ...limits };
  const service = await openService({
    engine,
    workers: 1,
    transcripts: false,
    dataDir,
    limits: bounds,
    maxClipSeconds: 600,
    keep,
    metrics,
    log,
  });
  return {
    app: createApp({ corsOrigins: [], trustedProxies: 0, ...options, ...service, limits: bounds }),
    engine,
    service,
    dataDir,
    uploadDir: path.join(dataDir, 'uploads'),
    logged,
    async close() {
      if (options.engine === undefined) await engine.dispose();
      await service.close();
      if (options.dataDir === undefined) await fsp.rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Word vectors of the dimension of the tiny network, different for each seed. */
export function someWords(seed: number, dim = 24): number[][] {
  return Array.from({ length: 5 }, (_, word) => Array.from({ length: dim }, (_, i) => Math.sin(seed + 7 * word + i)));
}

/** Waits until `condition` holds; the test's own time limit ends a wait for what never comes. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
