import fsp from 'node:fs/promises';
import path from 'node:path';
import { BUNDLE_FILE, type Bundle, bundleSchema } from './bundle.js';
import { MerError } from './errors.js';
import { readJson, sha256File } from './files.js';
import { PROJECT_ROOT } from './paths.js';

/** Where `mer export` puts bundles and `mer serve` looks for one. */
export const BUNDLES_DIR = path.join(PROJECT_ROOT, 'bundles');

/** Reads bundle.json. @throws MerError not_found or bad_file, naming the file and the field */
export async function readBundle(directory: string): Promise<Bundle> {
  return readJson(path.join(directory, BUNDLE_FILE), bundleSchema);
}

/** What became of one file that bundle.json names. */
export interface FileCheck {
  /** Its name in the bundle. */
  file: string;
  /** What is wrong with it; undefined where it is the file that was exported. */
  problem: string | undefined;
}

/** Checks size and sha256 of every file that bundle.json names. */
export async function checkFiles(directory: string, bundle: Bundle): Promise<FileCheck[]> {
  const { branches, fusion, single, selfTest, mtcnn } = bundle;
  const files = [...Object.values(branches), fusion, single, selfTest, ...Object.values(mtcnn)];
  const checks: FileCheck[] = [];
  for (const entry of files) {
    if (entry === undefined) continue;
    checks.push({ file: entry.file, problem: await problemOf(path.join(directory, entry.file), entry) });
  }
  return checks;
}

/**
 * Reads bundle.json and checks that every file it names is there and unchanged.
 *
 * @throws MerError as {@link readBundle}; bad_file naming the first file that differs
 */
export async function verifyBundle(directory: string): Promise<Bundle> {
  const bundle = await readBundle(directory);
  const wrong = (await checkFiles(directory, bundle)).find(({ problem }) => problem !== undefined);
  if (wrong === undefined) return bundle;
  const file = path.join(directory, wrong.file);
  throw new MerError('bad_file', `${file} ${wrong.problem}.`, 'Copy the bundle again, or export it again.');
}

async function problemOf(
  file: string,
  { sha256, bytes }: { sha256: string; bytes: number },
): Promise<string | undefined> {
  const stat = await fsp.stat(file).catch(() => undefined);
  if (stat === undefined) return 'is missing';
  if (stat.size !== bytes) return `has ${stat.size} bytes instead of ${bytes}`;
  return (await sha256File(file)) === sha256 ? undefined : 'is not the file that was exported: its sha256 differs';
}

/**
 * The most recently created bundle of a folder: `root/<name>/` or `root/<name>/<version>/`. Folders that are no
 * readable bundle are passed over.
 *
 * @throws MerError not_found when there is none
 */
export async function findNewestBundle(root = BUNDLES_DIR): Promise<string> {
  const candidates: { directory: string; created: string }[] = [];
  const named = await subfolders(root);
  const versioned = (await Promise.all(named.map(subfolders))).flat();
  for (const directory of [...named, ...versioned]) {
    const bundle = await readBundle(directory).catch(() => undefined);
    if (bundle !== undefined) candidates.push({ directory, created: bundle.created });
  }
  const newest = candidates.sort((a, b) => Date.parse(b.created) - Date.parse(a.created))[0];
  if (newest !== undefined) return newest.directory;
  throw new MerError(
    'not_found',
    `There is no bundle under ${root}.`,
    'Run `npm run demo` to train and export one, or name one with --bundle DIR.',
  );
}

async function subfolders(directory: string): Promise<string[]> {
  const entries = await fsp.readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(directory, entry.name));
}
