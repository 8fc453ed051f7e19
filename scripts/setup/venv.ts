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

/** A virtual environment of Python under the set-up folder. */
export interface PythonEnvironment {
  name: string;
  /** Its folder; the interpreter is `bin/python` in it. */
  folder: string;
  /** Requirements files in the order of their installation, each with pip's further arguments. */
  requirements: readonly { file: string; args: readonly string[] }[];
  /** Free disk space that its making needs. */
  spaceBytes: number;
}

/** The step that makes an environment, and makes it anew when a requirements file has changed. */
export function environmentStep({ name, folder, requirements, spaceBytes }: PythonEnvironment): Step {
  const interpreter = path.join(folder, 'bin', 'python');
  /** Written last: the hash of the requirements that the environment holds. */
  const stamp = path.join(folder, 'requirements.sha256');
  const requirementsHash = async () => {
    const hash = crypto.createHash('sha256');
    for (const { file } of requirements) hash.update(await fsp.readFile(file));
    return hash.digest('hex');
  };
  return {
    name,

    async isDone() {
      // The link dangles when the machine's Python was removed or replaced.
      if (!fs.existsSync(interpreter) || !fs.existsSync(stamp)) return false;
      return (await fsp.readFile(stamp, 'utf8')) === (await requirementsHash());
    },

    async check() {
      await requirePython();
      await requireSpace(spaceBytes, `The ${name}`);
    },

    async run() {
      const python = await requirePython();
      await fsp.rm(folder, { recursive: true, force: true });
      const made = await execute(python, ['-m', 'venv', folder]);
      if (made.status !== 0)
        throw missingPart(
          `python3 cannot make a virtual environment: ${lastLine(made.stderr || made.stdout)}`,
          'Install its venv module (Debian or Ubuntu: apt-get install python3-venv)',
        );
      for (const { file, args } of requirements) {
        await pip(['install', ...args, '--requirement', file], 'Python packages', { python: interpreter });
      }
      await writeFileAtomic(stamp, await requirementsHash());
    },
  };
}

/** The private Python environment with the pinned `onnx`, `safetensors`, `onnxruntime` and `numpy`. */
export const venvStep = environmentStep({
  name: 'Python environment',
  folder: path.dirname(path.dirname(VENV_PYTHON)),
  requirements: [
    {
      file: path.join(PROJECT_ROOT, 'export', 'python', 'requirements.txt'),
      args: ['--only-binary=:all:', '--require-hashes'],
    },
  ],
  spaceBytes: 700e6,
});

/** The PyTorch reference's packages: 6 GB, made only for the benchmarks and parity checks against it. */
export const referenceEnvironmentStep = environmentStep({
  name: 'PyTorch reference packages',
  folder: path.join(SETUP_DIR, 'reference-venv'),
  requirements: [
    { file: path.join(PROJECT_ROOT, 'benchmarks', 'reference', 'requirements.txt'), args: [] },
    {
      file: path.join(PROJECT_ROOT, 'benchmarks', 'reference', 'requirements-no-deps.txt'),
      args: ['--no-deps', '--no-build-isolation'],
    },
  ],
  spaceBytes: 16e9,
});
