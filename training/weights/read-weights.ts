import { execFile } from 'node:child_process';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { MerError } from '../../common/errors.js';
import { sha256File } from '../../common/files.js';
import { PROJECT_ROOT, VENV_PYTHON } from '../../common/paths.js';
import { readSafetensors, type StateDict } from '../../common/safetensors.js';

const CONVERTER = path.join(PROJECT_ROOT, 'export', 'python', 'convert_torch_file.py');

/** Exit code of the converter when it refuses a file. */
const REFUSED = 3;

/** torch.nn.DataParallel puts its own attribute before every name. */
const DATA_PARALLEL = 'module.';

export interface WeightsFile {
  file: string;
  /** Of the file as it was given. */
  sha256: string;
  /** By the names of a single-device PyTorch state dict; floating-point tensors as float32. */
  tensors: StateDict;
  /** String metadata of a safetensors file. */
  metadata: Record<string, string>;
}

/**
 * Reads a PyTorch file (`.pth`, `.pt`: the zip format and the one before it; a state dict, or a mapping that holds one)
 * or a safetensors file. What it is follows from its content, not from its name. Nothing that a PyTorch file names is
 * executed: what is more than a state dict is refused.
 *
 * @throws MerError not_found, bad_file when it is refused or damaged, missing_part without the private Python
 */
export async function readWeights(file: string): Promise<WeightsFile> {
  const { tensors, metadata } = (await isSafetensors(file)) ? await readSafetensors(file) : await readTorchFile(file);
  return { file, sha256: await sha256File(file), tensors: withoutDataParallel(tensors), metadata };
}

/** A safetensors file starts with the length of its header, which is JSON. */
async function isSafetensors(file: string): Promise<boolean> {
  const start = Buffer.alloc(9);
  try {
    const handle = await fsp.open(file);
    try {
      await handle.read(start, 0, start.length, 0);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new MerError('not_found', `${file} cannot be read.`, 'Give a .pth, .pt or .safetensors file.', {
      cause: error,
    });
  }
  return start.toString('latin1', 8) === '{';
}

async function readTorchFile(file: string): Promise<{ tensors: StateDict; metadata: Record<string, string> }> {
  if (!fs.existsSync(VENV_PYTHON)) {
    throw new MerError(
      'missing_part',
      `Reading ${file} needs the project's own Python, which is not at ${VENV_PYTHON}.`,
      'Run `npm run setup -- --for train`.',
    );
  }
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-weights-'));
  try {
    const converted = path.join(folder, 'weights.safetensors');
    await convert(file, converted);
    return await readSafetensors(converted);
  } finally {
    await fsp.rm(folder, { recursive: true, force: true });
  }
}

function convert(file: string, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Without the user's own packages and settings (-s -E).
    execFile(VENV_PYTHON, ['-s', '-E', CONVERTER, file, target], (error, stdout, stderr) => {
      if (!error) return resolve();
      if (error.code === REFUSED) {
        const remedy = 'Save the state dict alone, in PyTorch: torch.save(model.state_dict(), FILE).';
        return reject(new MerError('bad_file', `${file} is refused: ${stdout.trim()}.`, remedy));
      }
      const last = stderr.trim().split('\n').at(-1) || error.message;
      reject(new MerError('internal', `${file} could not be read: ${last}`, 'Report this with the file.'));
    });
  });
}

function withoutDataParallel(tensors: StateDict): StateDict {
  const names = [...tensors.keys()];
  if (names.length === 0 || !names.every((name) => name.startsWith(DATA_PARALLEL))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.slice(DATA_PARALLEL.length), tensor]));
}
