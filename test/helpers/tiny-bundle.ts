import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { madeOnce } from './made-once.js';

/**
 * Folder of a bundle that the real exporter made of a tiny multimodal network with untrained weights.
 *
 * @param kind `lively`: weights with which the inputs move the scores; `seed`: the same in compat seed
 */
export async function tinyBundle(kind: 'default' | 'lively' | 'seed' = 'default'): Promise<string> {
  const folder = await madeOnce(kind === 'default' ? 'tiny' : `tiny-${kind}`, async (directory) => {
    const script = fileURLToPath(new URL('./make-tiny-bundle.ts', import.meta.url));
    await promisify(execFile)(process.execPath, ['--import', 'tsx', script, directory, kind]);
  });
  return path.join(folder, 'bundle');
}
