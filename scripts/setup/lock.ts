import fs from 'node:fs/promises';
import path from 'node:path';
import { isRunning } from '../../common/child.js';
import { SETUP_DIR } from '../../common/paths.js';
import { missingPart } from './machine.js';

const LOCK_FILE = path.join(SETUP_DIR, 'setup.lock');

/**
 * Keeps a second set-up out of the same folder while one works. What a killed set-up left behind is taken over.
 * @returns what releases the lock
 * @throws MerError when another set-up is at work
 */
export async function lockSetup(): Promise<() => Promise<void>> {
  await fs.mkdir(SETUP_DIR, { recursive: true });
  for (;;) {
    try {
      await fs.writeFile(LOCK_FILE, String(process.pid), { flag: 'wx' });
      return () => fs.rm(LOCK_FILE, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = Number(await fs.readFile(LOCK_FILE, 'utf8').catch(() => ''));
    if (owner > 0 && owner !== process.pid && isRunning(owner))
      throw missingPart(
        `Another set-up (process ${owner}) is at work.`,
        `Wait for it, or delete ${LOCK_FILE} if there is none`,
      );
    await fs.rm(LOCK_FILE, { force: true });
  }
}
