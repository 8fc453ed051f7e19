import { MTCNN_DIR, VENV_PYTHON } from '../../common/paths.js';
import { execute } from '../setup/execute.js';
import { ffmpegStep } from '../setup/ffmpeg.js';
import { mtcnnStep } from '../setup/mtcnn.js';
import { venvStep } from '../setup/venv.js';
import { absent, broken, type Part, type Subject, working } from './part.js';

/** The Node that runs this, and whether package.json's `engines` allow it. */
export function nodePart(engines: string): Part {
  const subject: Subject = { id: 'node', name: 'Node', neededFor: 'everything', install: `install Node ${engines}` };
  const [major, minor = 0] = process.versions.node.split('.').map(Number);
  const supported = [...engines.matchAll(/\^(\d+)\.(\d+)/g)].some(
    ([, wantedMajor, wantedMinor]) => major === Number(wantedMajor) && minor >= Number(wantedMinor),
  );
  const version = process.versions.node;
  return supported ? working(subject, version) : broken(subject, version, `supported are ${engines}`);
}

export async function ffmpegPart(): Promise<Part> {
  const subject: Subject = {
    id: 'ffmpeg',
    name: 'ffmpeg',
    neededFor: 'decoding clips',
    install: 'npm run setup -- --for serve',
  };
  if (!(await ffmpegStep.isDone())) return absent(subject, 'ffmpeg or ffprobe is not on the PATH');
  const { stdout } = await execute('ffmpeg', ['-version']);
  return working(subject, /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? null);
}

/** The GPU that the driver knows. */
export async function gpuPart(): Promise<Part> {
  const subject: Subject = {
    id: 'gpu',
    name: 'NVIDIA GPU',
    neededFor: 'faster training and serving',
    install: 'install the driver, where there is such a GPU',
  };
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
  const { status, stdout } = await execute('nvidia-smi', query);
  if (status !== 0 || stdout.trim() === '') return absent(subject);
  const gpus = stdout.trim().split('\n');
  return working(subject, gpus[0]?.split(', ').at(-1) ?? null, gpus.join('; '));
}

const PACKAGES = ['onnx', 'onnxruntime', 'safetensors', 'numpy'];

export async function pythonPart(): Promise<Part> {
  const subject: Subject = {
    id: 'python',
    name: 'Python environment',
    neededFor: 'preparing the face detector, training and export',
    install: 'npm run setup -- --for export',
  };
  if (!(await venvStep.isDone())) return absent(subject);
  const script = `import platform, ${PACKAGES.join(', ')}
print(platform.python_version(), *(f"{m.__name__} {m.__version__}," for m in (${PACKAGES.join(', ')})))`;
  const { status, stdout, stderr } = await execute(VENV_PYTHON, ['-c', script]);
  if (status !== 0) return broken(subject, null, stderr.trim().split('\n').at(-1) ?? '');
  const [version = null, ...packages] = stdout.trim().split(' ');
  return working(subject, version, packages.join(' ').replace(/,$/, ''));
}

export async function mtcnnPart(): Promise<Part> {
  const subject: Subject = {
    id: 'mtcnn',
    name: 'MTCNN face detector',
    neededFor: 'preprocessing and export; bundles bring their own',
    install: 'npm run setup -- --for preprocess',
  };
  return (await mtcnnStep.isDone()) ? working(subject, null, MTCNN_DIR) : absent(subject);
}
