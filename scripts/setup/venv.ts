import crypto from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../common/files.js';
import { PROJECT_ROOT, SETUP_DIR, VENV_PYTHON } from '../../common/paths.js';
import { execute, lastLine } from './execute.js';
import { missingPart, requireSpace } from './machine.js';
import { pip, requirePython } from './python.js';
import type { Step } from './step.js';

const VENV = path.join(SETUP_DIR, 'venv');
const REQUIREMENTS = path.join(PROJECT_ROOT, 'export', 'python', 'requirements.txt');
/** Written last: the hash of the requirements that the environment holds. */
const STAMP = path.join(VENV, 'requirements.sha256');
const SPACE_BYTES = 700e6;

const requirementsHash = async () =>
  crypto
    .createHash('sha256')
    .update(await fsp.readFile(REQUIREMENTS))
    .digest('hex');

/** The private Python environment with the pinned `onnx`, `safetensors`, `onnxruntime` and `numpy`. */
export const venvStep: Step = {
  name: 'Python environment',

  async isDone() {
    // The link dangles when the machine's Python was removed or replaced.
    if (!fs.existsSync(VENV_PYTHON) || !fs.existsSync(STAMP)) return false;
    return (await fsp.readFile(STAMP, 'utf8')) === (await requirementsHash());
  },

  async check() {
    await requirePython();
    await requireSpace(SPACE_BYTES, 'The Python environment');
  },

  async run() {
    const python = await requirePython();
    await fsp.rm(VENV, { recursive: true, force: true });
    const made = await execute(python, ['-m', 'venv', VENV]);
    if (made.status !== 0)
      throw missingPart(
        `python3 cannot make a virtual environment: ${lastLine(made.stderr || made.stdout)}`,
        'Install its venv module (Debian or Ubuntu: apt-get install python3-venv)',
      );
    await pip(['install', '--only-binary=:all:', '--require-hashes', '--requirement', REQUIREMENTS], 'Python packages');
    await writeFileAtomic(STAMP, await requirementsHash());
  },
};
