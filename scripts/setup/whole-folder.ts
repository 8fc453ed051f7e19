import fsp from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder whole or not at all: under another name first, renamed when `make` is through. What an interrupted
 * run left is removed. The other name is this process's own, because a killed set-up may leave a child that still
 * writes to its folder.
 */
export async function makeWholeFolder(folder: string, make: (partial: string) => Promise<void>): Promise<void> {
  const parent = path.dirname(folder);
  await fsp.mkdir(parent, { recursive: true });
  for (const name of await fsp.readdir(parent))
    if (name.startsWith(`${path.basename(folder)}.partial-`))
      await fsp.rm(path.join(parent, name), { recursive: true, force: true });
  const partial = `${folder}.partial-${process.pid}`;
  await fsp.mkdir(partial);
  await make(partial);
  await fsp.rename(partial, folder);
}
