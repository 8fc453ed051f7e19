import fsp from 'node:fs/promises';
import path from 'node:path';
import { BUNDLE_FILE } from '../common/bundle.js';
import { MerError } from '../common/errors.js';

/**
 * Refuses to replace what is no bundle.
 *
 * @throws MerError bad_argument when `out` is a file, or a folder that holds something else than a bundle
 */
export async function assertReplaceable(out: string): Promise<void> {
  const entries = await fsp.readdir(out).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw notABundle(out, error);
  });
  if (entries.length > 0 && !entries.includes(BUNDLE_FILE)) throw notABundle(out);
}

function notABundle(out: string, cause?: unknown): MerError {
  return new MerError(
    'bad_argument',
    `${out} exists and is no bundle.`,
    'Give --out a new folder or a bundle of yours.',
    {
      cause,
    },
  );
}

/**
 * Makes a folder whole or not at all: `build` fills a temporary one beside it, which then takes the place of `out`.
 * What an interrupted run left is cleared by the next.
 */
export async function buildFolder<T>(out: string, build: (directory: string) => Promise<T>): Promise<T> {
  const target = path.resolve(out);
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.partial`);
  const replaced = `${temporary}.old`;
  // An earlier run may have ended just between its two renames.
  await renameIfPossible(replaced, target);
  await removeFolder(replaced);
  await removeFolder(temporary);
  try {
    await fsp.mkdir(temporary, { recursive: true });
    const result = await build(temporary);
    await renameIfPossible(target, replaced);
    await fsp.rename(temporary, target);
    return result;
  } finally {
    await renameIfPossible(replaced, target);
    await removeFolder(replaced);
    await removeFolder(temporary);
  }
}

/** Does nothing where `from` is not there or `to` is: a folder is never renamed over one that holds something. */
async function renameIfPossible(from: string, to: string): Promise<void> {
  await fsp.rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

async function removeFolder(directory: string): Promise<void> {
  await fsp.rm(directory, { recursive: true, force: true });
}
