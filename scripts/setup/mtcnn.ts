import crypto from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../common/files.js';
import { MTCNN_DIR, PROJECT_ROOT, SETUP_DIR, VENV_PYTHON } from '../../common/paths.js';
import { execute, lastLine } from './execute.js';
import { missingPart } from './machine.js';
import { downloadWheels, unpackWheels } from './python.js';
import type { Step } from './step.js';

export const MTCNN_NETS = ['pnet', 'rnet', 'onet'] as const;

const BUILDER = path.join(PROJECT_ROOT, 'export', 'python', 'mtcnn.py');
/** Whatever decides what the nets are; a change of it makes them anew. */
const SOURCES = [
  BUILDER,
  path.join(PROJECT_ROOT, 'export', 'python', 'torch_file.py'),
  path.join(PROJECT_ROOT, 'scripts', 'wheels', 'facenet-pytorch.txt'),
];
const STAMP = path.join(MTCNN_DIR, 'sources.sha256');

async function sourcesHash(): Promise<string> {
  const hash = crypto.createHash('sha256');
  for (const file of SOURCES) hash.update(await fsp.readFile(file));
  return hash.digest('hex');
}

/** The three networks of the face detector, built as ONNX from the weights in the facenet-pytorch wheel. */
export const mtcnnStep: Step = {
  name: 'MTCNN face detector',

  async isDone() {
    const files = MTCNN_NETS.map((net) => path.join(MTCNN_DIR, `${net}.onnx`));
    if (![...files, STAMP].every((file) => fs.existsSync(file))) return false;
    return (await fsp.readFile(STAMP, 'utf8')) === (await sourcesHash());
  },

  async check() {},

  async run() {
    const wheels = path.join(SETUP_DIR, 'downloads', 'facenet-pytorch');
    await downloadWheels('facenet-pytorch.txt', wheels);
    await unpackWheels(wheels, ['facenet_pytorch/data/'], wheels);
    const weights = path.join(wheels, 'facenet_pytorch', 'data');
    const { status, stderr } = await execute(VENV_PYTHON, [BUILDER, weights, MTCNN_DIR]);
    if (status !== 0)
      throw missingPart(`The MTCNN nets cannot be built: ${lastLine(stderr)}`, `Delete ${SETUP_DIR}/venv`);
    await writeFileAtomic(STAMP, await sourcesHash());
    await fsp.rm(wheels, { recursive: true, force: true });
  },
};
