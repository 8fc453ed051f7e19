import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { diskFull, MerError } from '../common/errors.js';
import { PROJECT_ROOT, VENV_PYTHON } from '../common/paths.js';

/** What Python says of a full disk, a quota, or a file that may not grow further. */
const NO_SPACE = /Errno (28|122|27)\b/;

/** Inventories of the largest networks are some ten kilobytes. */
const MAX_OUTPUT = 16 * 2 ** 20;

/**
 * Runs a script of export/python in the private Python.
 *
 * @returns what it wrote to stdout
 * @throws MerError missing_part without that Python; disk_full; internal with the last line that it wrote to stderr
 */
export function runPython(script: string, args: readonly string[]): Promise<string> {
  if (!fs.existsSync(VENV_PYTHON)) {
    throw new MerError(
      'missing_part',
      `The export needs a Python of its own, which is not at ${VENV_PYTHON}.`,
      'Run `npm run setup -- --for export`.',
    );
  }
  const file = path.join(PROJECT_ROOT, 'export', 'python', script);
  return new Promise((resolve, reject) => {
    // Isolated (-I): no package of the user's own can take the place of a pinned one.
    execFile(VENV_PYTHON, ['-I', file, ...args], { maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const last = stderr.trim().split('\n').at(-1) || error.message;
      if (NO_SPACE.test(last)) return reject(diskFull(last, error));
      const message = `The ONNX files could not be built: ${last}`;
      reject(new MerError('internal', message, 'Report this with the command you ran.', { cause: error }));
    });
  });
}
