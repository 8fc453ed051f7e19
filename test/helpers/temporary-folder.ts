import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Runs `use` in a new temporary folder, which is gone afterwards. */
export async function inTemporaryFolder<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  try {
    return await use(directory);
  } finally {
    await fsp.rm(directory, { recursive: true, force: true });
  }
}
