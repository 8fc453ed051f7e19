import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';

/**
 * A folder that is made by the first test file that asks for it and used by all of the run. Test files that run side
 * by side may both make it; the first one that is whole is kept.
 *
 * @returns the folder; nobody may change it
 */
export async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const shared = inject('sharedDir');
  const folder = path.join(shared, name);
  if (fs.existsSync(folder)) return folder;
  const own = await fsp.mkdtemp(path.join(shared, `${name}-`));
  await make(own);
  await fsp.rename(own, folder).catch((error: unknown) => {
    if (!fs.existsSync(folder)) throw error;
  });
  return folder;
}
