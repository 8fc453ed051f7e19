import fsp from 'node:fs/promises';
import type { SourceClip } from '../source-clip.js';

/**
 * The words of a clip that lie beside it: word vectors in `<base>.npz` or `<base>.json`, a transcript in `<base>.txt`.
 *
 * @param base path of the clip without its ending
 * @param exists whether a path is one of the corpus's files
 */
export async function readSidecars(
  base: string,
  exists: (file: string) => boolean,
): Promise<Pick<SourceClip, 'words' | 'transcript'>> {
  const words = [`${base}.npz`, `${base}.json`].find(exists);
  const text = exists(`${base}.txt`) ? (await fsp.readFile(`${base}.txt`, 'utf8')).trim() : '';
  return { ...(words !== undefined && { words }), ...(text !== '' && { transcript: text }) };
}
