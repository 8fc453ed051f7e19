import { Command, Option } from 'commander';
import { asMerError } from '../../common/errors.js';
import { ffmpegStep } from './ffmpeg.js';
import { lockSetup } from './lock.js';
import { mtcnnStep } from './mtcnn.js';
import { onnxruntimeCudaStep } from './onnxruntime-cuda.js';
import { runSteps, type Step } from './step.js';
import { presentTensorflowBuild, tensorflowBindingStep, tensorflowLibraryStep } from './tensorflow.js';
import { venvStep } from './venv.js';

const PARTS = ['serve', 'preprocess', 'train', 'export', 'all'] as const;
type Part = (typeof PARTS)[number];

/**
 * The steps that a part needs beyond the npm packages and the compiled program.
 * Without `gpu` a CUDA build that was installed before is kept: it runs on the processor as well.
 */
export async function stepsFor(part: Part, gpu: boolean): Promise<Step[]> {
  const build = gpu ? 'gpu' : ((await presentTensorflowBuild()) ?? 'cpu');
  const cuda = gpu ? [onnxruntimeCudaStep] : [];
  const tensorflow = [tensorflowLibraryStep(build), tensorflowBindingStep(build)];
  switch (part) {
    case 'serve':
      // The CUDA provider comes as a Python wheel, for which the environment's pip is used.
      return [ffmpegStep, ...(gpu ? [venvStep] : []), ...cuda];
    case 'preprocess':
      return [ffmpegStep, venvStep, mtcnnStep, ...cuda];
    case 'train':
      return [venvStep, ...tensorflow];
    case 'export':
      return [venvStep, mtcnnStep, ...tensorflow];
    case 'all':
      return [ffmpegStep, venvStep, mtcnnStep, ...tensorflow, ...cuda];
  }
}

/**
 * `npm run setup`: brings what is missing, prints each step with its seconds.
 * @param args the command's arguments, without program and script
 * @param quiet says nothing of parts that are there, for commands that set up by the way
 * @returns whether all is there; otherwise the error is printed and the exit code set
 */
export async function setUp(args: readonly string[], { quiet = false } = {}): Promise<boolean> {
  const program = new Command('npm run setup --')
    .description('Installs what a part of the project needs. Run it again at any time: it continues where it stopped.')
    .addOption(new Option('--for <part>', 'what is going to be used').choices(PARTS).default('all'))
    .option('--gpu', 'the CUDA builds of TensorFlow and of ONNX Runtime, for NVIDIA GPUs');
  program.parse(args, { from: 'user' });
  const options = program.opts<{ for: Part; gpu?: boolean }>();
  const gpu = options.gpu ?? false;
  try {
    const print = (line: string) => process.stdout.write(`${line}\n`);
    await runSteps(await stepsFor(options.for, gpu), { print, lock: lockSetup, quiet });
  } catch (error) {
    const { message, remedy } = asMerError(error);
    process.stderr.write(`error: ${message} ${remedy}\n`);
    process.exitCode = 1;
    return false;
  }
  if (gpu)
    process.stdout.write('The CUDA builds are unproven on this machine until `npx mer doctor` shows them working.\n');
  return true;
}
