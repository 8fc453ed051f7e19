import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

function findProjectRoot(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory);
    if (parent === directory) throw new Error('No package.json above the running code.');
    directory = parent;
  }
  return directory;
}

/** The folder of package.json, also when the running code is the compiled one under dist/. */
export const PROJECT_ROOT = findProjectRoot();

/** What set-up makes and git ignores: the Python venv, the MTCNN nets, downloaded libraries. */
export const SETUP_DIR = process.env.MER_HOME ?? path.join(PROJECT_ROOT, '.mer');

/** The Python of the private venv (packages onnx, safetensors, onnxruntime, numpy). */
export const VENV_PYTHON = path.join(SETUP_DIR, 'venv', 'bin', 'python');

/** Folder of pnet.onnx, rnet.onnx and onet.onnx, made by set-up. */
export const MTCNN_DIR = path.join(SETUP_DIR, 'mtcnn');
