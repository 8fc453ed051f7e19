import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { PROJECT_ROOT } from '../../common/paths.js';
import type { Device } from '../../serving/engine/devices.js';
import { type TorchMeasurement, torchSchema } from './gpu-protocol.js';

/** What the script ends with where PyTorch, or what the networks need besides, is not installed. */
const NOT_INSTALLED = 3;

export interface TorchOptions {
  python: string;
  device: Device;
  batches: readonly number[];
  repeats: number;
  /** Of one clip. */
  frames: number;
  words: number;
}

/** Measures the reference's networks in PyTorch, eager and compiled; where it cannot, `note` says why. */
export async function measureTorch({
  python,
  device,
  batches,
  repeats,
  frames,
  words,
}: TorchOptions): Promise<{ measurements: TorchMeasurement[]; note: string | null }> {
  const script = path.join(PROJECT_ROOT, 'benchmarks', 'gpu', 'torch_models.py');
  const request = { device: device.replace(/:.*/, ''), batches, repeats, frames, words };
  const child = spawn(python, [script, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => complaints.push(data));
  const closed = once(child, 'close');
  // A Python that is not there is told by the event, one that fails by its exit code.
  const code = await closed.then(
    ([status]) => status as number | null,
    () => NOT_INSTALLED,
  );
  const measurements = Buffer.concat(output)
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => torchSchema.parse(JSON.parse(line)));
  const why = Buffer.concat(complaints).toString().trim().split('\n').at(-1) ?? '';
  return { measurements, note: noteOf(python, code, why) };
}

function noteOf(python: string, code: number | null, why: string): string | null {
  if (code === 0) return why === '' ? null : `PyTorch said last: ${why}`;
  if (code === NOT_INSTALLED) return `PyTorch was not measured: ${python} lacks it (${why}).`;
  return `PyTorch was not measured to the end: ${why}.`;
}
