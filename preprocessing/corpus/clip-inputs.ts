import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import { PREPROCESSING_VERSION } from '../../common/bundle.js';
import { sha256File } from '../../common/files.js';
import type { WorkerSettings } from './clip-worker-protocol.js';
import type { SourceClip } from './source-clip.js';

/**
 * Hash of all that a clip's features depend on: the content of its files, the settings and the version. Labels and
 * speaker are not among it: they stand in the record only.
 */
export async function hashInputs(clip: SourceClip, settings: WorkerSettings): Promise<string> {
  const words = clip.words === undefined ? null : await sha256File(clip.words);
  return digest([...dependencies(clip, settings), await sha256File(clip.clip), words]);
}

/**
 * The same from the sizes and times of the files instead of their content: as long as it stays the same they need not be
 * read. Times of change count beside those of modification, so that a file that replaces another of its size and age
 * is noticed; a copy of the corpus has other stamps, and is hashed once.
 *
 * @returns null when a file is not there
 */
export async function stampInputs(clip: SourceClip, settings: WorkerSettings): Promise<string | null> {
  const file = await stamp(clip.clip);
  const words = clip.words === undefined ? [] : await stamp(clip.words);
  return file && words && digest([...dependencies(clip, settings), file, words]);
}

function dependencies(clip: SourceClip, settings: WorkerSettings): unknown[] {
  const { featuresDir: _features, netsDir: _nets, wordTable, faceEmbedding, ...ways } = settings;
  const looksUp = wordTable && clip.words === undefined && clip.transcript !== undefined;
  return [
    PREPROCESSING_VERSION,
    ways,
    // A table matters to the clips only whose words are looked up in it.
    looksUp ? [clip.transcript, wordTable.sha256, wordTable.maxOutOfVocabulary] : null,
    faceEmbedding?.model ?? null,
  ];
}

async function stamp(file: string): Promise<number[] | null> {
  const stat = await fsp.stat(file).catch(() => null);
  return stat && [stat.size, stat.mtimeMs, stat.ctimeMs];
}

function digest(parts: readonly unknown[]): string {
  return crypto.createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
