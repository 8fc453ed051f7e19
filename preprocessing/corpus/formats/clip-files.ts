import crypto from 'node:crypto';
import type { Dirent } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';

/** Files with other endings beside the clips are no clips. */
export const CLIP_ENDINGS: ReadonlySet<string> = new Set(
  '.mp4 .m4v .mov .mkv .webm .avi .flv .wav .mp3 .m4a .ogg .oga .ogv .flac'.split(' '),
);

const SOUND_ENDINGS: ReadonlySet<string> = new Set('.wav .mp3 .m4a .ogg .oga .flac'.split(' '));

/** Corpora nest their clips less deeply than this; a home folder given by mistake is not searched to its ground. */
const MAX_DEPTH = 4;

/** Feature files are named after the stem, and file systems allow 255 bytes with endings. */
const MAX_STEM_BYTES = 200;

const collator = new Intl.Collator('en', { numeric: true });

/** Orders names as people number files: 2 before 10. */
export const naturally = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);

export function isClip(file: string): boolean {
  return CLIP_ENDINGS.has(path.extname(file).toLowerCase());
}

/** Whether the ending says that a clip has no pictures. */
export function isSound(file: string): boolean {
  return SOUND_ENDINGS.has(path.extname(file).toLowerCase());
}

/** File name without folder and ending. */
export function stemOf(file: string): string {
  return path.basename(file, path.extname(file));
}

/**
 * Name of the feature files of a clip that is known by its path: `hap/12.mp4` -> `hap-12`.
 *
 * @param relative path from the corpus; `..` and the root of absolute paths count as nothing
 */
export function stemOfPath(relative: string): string {
  const parts = path.normalize(relative).split(path.sep);
  const folders = parts.slice(0, -1).filter((part) => part !== '' && part !== '.' && part !== '..');
  const stem = [...folders, stemOf(relative)].join('-');
  if (Buffer.byteLength(stem) <= MAX_STEM_BYTES) return stem;
  const hash = crypto.createHash('sha256').update(stem).digest('hex').slice(0, 16);
  return `${hash}-${stemOf(relative).slice(-40)}`;
}

/**
 * Regular files of a folder, without hidden ones, in natural order; symbolic links are followed. Pipes and devices,
 * which would block whoever opens them, are no files here.
 */
export async function listFiles(folder: string): Promise<string[]> {
  const names = await Promise.all(
    (await readEntries(folder)).map(async (entry) => ((await kindOf(folder, entry)) === 'file' ? entry.name : null)),
  );
  return names.filter((name) => name !== null).sort(naturally);
}

/** Folders of a folder, without hidden ones, in natural order. */
export async function listFolders(folder: string): Promise<string[]> {
  const names = await Promise.all(
    (await readEntries(folder)).map(async (entry) => ((await kindOf(folder, entry)) === 'folder' ? entry.name : null)),
  );
  return names.filter((name) => name !== null).sort(naturally);
}

/**
 * All regular files below a folder, as paths relative to it, folder by folder in natural order. The corpus's own
 * `features` are left out.
 */
export async function walkFiles(corpusDir: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (relative: string, depth: number): Promise<void> => {
    const folder = path.join(corpusDir, relative);
    for (const name of await listFiles(folder)) found.push(path.join(relative, name));
    if (depth === MAX_DEPTH) return;
    for (const name of await listFolders(folder)) {
      if (depth > 0 || name !== 'features') await walk(path.join(relative, name), depth + 1);
    }
  };
  await walk('', 0);
  return found;
}

async function readEntries(folder: string): Promise<Dirent[]> {
  const entries = await fsp.readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter(({ name }) => !name.startsWith('.'));
}

async function kindOf(folder: string, entry: Dirent): Promise<'file' | 'folder' | 'other'> {
  const known = entry.isSymbolicLink() ? await fsp.stat(path.join(folder, entry.name)).catch(() => entry) : entry;
  return known.isFile() ? 'file' : known.isDirectory() ? 'folder' : 'other';
}
