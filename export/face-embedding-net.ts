import { execFile } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { sha256File } from '../common/files.js';
import { PROJECT_ROOT, SETUP_DIR, VENV_PYTHON } from '../common/paths.js';
import type { FaceEmbeddingNet } from '../preprocessing/faces/face-embedder.js';

const PYTHON_DIR = path.join(PROJECT_ROOT, 'export', 'python');
const BUILDER = path.join(PYTHON_DIR, 'inception_resnet.py');
/** A change of these makes the networks anew. */
const SOURCES = [BUILDER, path.join(PYTHON_DIR, 'torch_file.py')];
/** Exit code of the builder for a file that it refuses. */
const REFUSED = 3;

/**
 * The ONNX file of the face embedding network with the weights of a PyTorch file: a state dict of facenet-pytorch's
 * InceptionResnetV1, such as its vggface2 file. Nothing in the file is executed. Converted at first use (some seconds)
 * and then found by the file's sha256.
 *
 * @param cacheDir where the converted networks lie
 * @throws MerError not_found; bad_file when the file is refused; missing_part without the private Python
 */
export async function faceEmbeddingNet(
  weights: string,
  cacheDir = path.join(SETUP_DIR, 'face-embeddings'),
): Promise<FaceEmbeddingNet> {
  if (!fs.statSync(weights, { throwIfNoEntry: false })?.isFile()) {
    throw new MerError('not_found', `${weights} is no file.`, 'Check the path of the weights.');
  }
  const model = await sha256File(weights);
  const net = path.join(cacheDir, `${model}-${await sourcesHash()}.onnx`);
  if (fs.existsSync(net)) return { net, model };
  if (!fs.existsSync(VENV_PYTHON)) {
    throw new MerError(
      'missing_part',
      `Converting ${weights} needs a Python of its own, which is not at ${VENV_PYTHON}.`,
      'Run `npm run setup -- --for preprocess`.',
    );
  }
  await fsp.mkdir(cacheDir, { recursive: true });
  process.stderr.write(`converting ${path.basename(weights)} to ONNX\n`);
  await convert(weights, net);
  return { net, model };
}

async function sourcesHash(): Promise<string> {
  const hash = crypto.createHash('sha256');
  for (const file of SOURCES) hash.update(await fsp.readFile(file));
  return hash.digest('hex').slice(0, 8);
}

function convert(weights: string, net: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Without the user's own packages and settings (-s -E).
    execFile(VENV_PYTHON, ['-s', '-E', BUILDER, weights, net], (error, stdout, stderr) => {
      if (!error) return resolve();
      if (error.code === REFUSED) {
        const remedy = "Give a state dict of facenet-pytorch's InceptionResnetV1, such as its vggface2 file.";
        return reject(new MerError('bad_file', `${weights} is refused: ${stdout.trim()}.`, remedy));
      }
      const last = stderr.trim().split('\n').at(-1) || error.message;
      reject(new MerError('internal', `${weights} could not be converted: ${last}`, 'Report this with the file.'));
    });
  });
}
