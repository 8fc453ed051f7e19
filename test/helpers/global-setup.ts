import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A temporary folder for what several test files need and none changes; gone after the run. */
    sharedDir: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-shared-'));
  project.provide('sharedDir', directory);
  return () => fsp.rm(directory, { recursive: true, force: true });
}
