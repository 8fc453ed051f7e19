import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Express } from 'express';
import { pino } from 'pino';
import { Engine } from '../../serving/engine/engine.js';
import { createApp } from '../../serving/http/app.js';
import { tinyBundle } from './tiny-bundle.js';

export interface TestApp {
  app: Express;
  engine: Engine;
  uploadDir: string;
  /** The lines that were logged so far. */
  logged: string[];
  close(): Promise<void>;
}

/** The real app over the real engine with the tiny bundle. */
export async function testApp(limits: { maxUploadBytes?: number } = {}): Promise<TestApp> {
  const engine = await Engine.create(await tinyBundle(), { device: 'cpu', threads: 1, workers: 1 });
  const uploadDir = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-uploads-'));
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const maxUploadBytes = limits.maxUploadBytes ?? 2 ** 20;
  return {
    app: createApp({ engine, uploadDir, maxUploadBytes, log, draining: () => false }),
    engine,
    uploadDir,
    logged,
    async close() {
      await engine.dispose();
      await fsp.rm(uploadDir, { recursive: true, force: true });
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
