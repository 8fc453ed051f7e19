import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { PROJECT_ROOT, SETUP_DIR } from '../../common/paths.js';
import { execute, lastLine } from './execute.js';
import { missingPart, requireCompiler, requireLinuxX64, requireSpace } from './machine.js';
import { downloadWheels, unpackWheels } from './python.js';
import type { Step } from './step.js';
import { makeWholeFolder } from './whole-folder.js';

/** TensorFlow's C++ library comes from its Python wheel, in a build for the processor or for NVIDIA's CUDA 12. */
export type TensorFlowBuild = 'cpu' | 'gpu';

const VERSION = '2.21.0';
const PACKAGE = path.join(PROJECT_ROOT, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** The libraries, the C headers that the binding includes (all headers are 290 MB), and CUDA's libraries. */
const UNPACKED = [
  ...LIBRARIES.map((library) => `tensorflow/${library}`),
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/platform/',
  'tensorflow/include/xla/tsl/c/',
  'nvidia/',
];

const SPACE_BYTES = { cpu: 1.3e9, gpu: 10e9 };

const libraryFolder = (build: TensorFlowBuild) => path.join(SETUP_DIR, `tensorflow-${build}-${VERSION}`);

/**
 * Fetches the library. The folder mirrors Python's site-packages, because the CUDA build looks for NVIDIA's libraries
 * relative to its own place there (`$ORIGIN/../nvidia/<part>/lib`).
 */
export function tensorflowLibraryStep(build: TensorFlowBuild): Step {
  return {
    name: `TensorFlow library (${build})`,

    async isDone() {
      return fs.existsSync(libraryFolder(build));
    },

    async check() {
      requireLinuxX64('The TensorFlow library');
      await requireCompiler();
      await requireSpace(SPACE_BYTES[build], 'The TensorFlow library');
    },

    async run() {
      const wheels = path.join(SETUP_DIR, 'downloads', `tensorflow-${build}`);
      await downloadWheels(`tensorflow-${build}.txt`, wheels);
      await makeWholeFolder(libraryFolder(build), (partial) => unpackWheels(wheels, UNPACKED, partial));
      await fsp.rm(wheels, { recursive: true, force: true });
    },
  };
}

const packageSchema = z.object({ version: z.string() });

/** Where the compiled binding of the installed tfjs-node lies; the npm package's folder `lib` becomes a link to it. */
async function bindingFolder(build: TensorFlowBuild): Promise<string> {
  const { version } = await readJson(path.join(PACKAGE, 'package.json'), packageSchema);
  return path.join(libraryFolder(build), `tfjs-${version}`);
}

const bindingFile = (folder: string) => path.join(folder, 'napi-v8', 'tfjs_binding.node');

/**
 * Compiles tfjs-node's binding against the library and links it into the npm package. The compiled file outlives
 * node_modules, so that after a new `npm ci` only the link is made.
 */
export function tensorflowBindingStep(build: TensorFlowBuild): Step {
  return {
    name: `TensorFlow binding (${build})`,

    async isDone() {
      if (!fs.existsSync(path.join(PACKAGE, 'package.json'))) return false;
      const folder = await bindingFolder(build);
      const linked = await fsp.realpath(path.join(PACKAGE, 'lib')).catch(() => '');
      return fs.existsSync(bindingFile(folder)) && linked === (await fsp.realpath(folder));
    },

    async check() {
      await requireCompiler();
    },

    async run() {
      const folder = await bindingFolder(build);
      if (!fs.existsSync(bindingFile(folder))) await compileBinding(build, folder);
      const link = path.join(PACKAGE, 'lib');
      await fsp.rm(link, { recursive: true, force: true });
      await fsp.symlink(folder, link);
      const { status, stderr } = await execute(process.execPath, ['-e', LOAD], { cwd: PROJECT_ROOT });
      if (status !== 0)
        throw missingPart(`TensorFlow does not load: ${lastLine(stderr)}`, `Delete ${libraryFolder(build)}`);
    },
  };
}

/** Loads the binding alone; the rest of tfjs-node is not needed to see whether it finds its libraries. */
const LOAD = `require(${JSON.stringify(bindingFile(path.join(PACKAGE, 'lib')))})`;

/**
 * One compiler call instead of node-gyp: the binding uses Node's stable C interface (Node-API 8) only, whose headers
 * come with the npm package node-api-headers. The result serves every supported Node.
 */
async function compileBinding(build: TensorFlowBuild, folder: string): Promise<void> {
  const compiler = await requireCompiler();
  const tensorflow = path.join(libraryFolder(build), 'tensorflow');
  const file = bindingFile(folder);
  await fsp.mkdir(path.dirname(file), { recursive: true });
  const partial = `${file}.partial`;
  const { status, stderr } = await execute(compiler, [
    ...['-O2', '-std=c++17', '-fPIC', '-shared', '-w', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding'],
    ...['-I', path.join(PROJECT_ROOT, 'node_modules', 'node-api-headers', 'include')],
    ...['-I', path.join(tensorflow, 'include')],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((source) => path.join(PACKAGE, 'binding', source)),
    ...LIBRARIES.map((library) => path.join(tensorflow, library)),
    ...['-Wl,-rpath,$ORIGIN/../../tensorflow', '-o', partial],
  ]);
  if (status !== 0) {
    const reason = stderr.split('\n').find((line) => line.includes('error')) ?? lastLine(stderr);
    throw missingPart(`The TensorFlow binding does not compile: ${reason}`, 'Install a compiler that knows C++17');
  }
  await fsp.rename(partial, file);
}

/** The build that is linked now, else one whose library is there, else none. */
export async function presentTensorflowBuild(): Promise<TensorFlowBuild | null> {
  for (const build of ['gpu', 'cpu'] as const) if (await tensorflowBindingStep(build).isDone()) return build;
  return (['gpu', 'cpu'] as const).find((build) => fs.existsSync(libraryFolder(build))) ?? null;
}
