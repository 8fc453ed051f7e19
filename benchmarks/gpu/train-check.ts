import process from 'node:process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { WorkerProcess } from '../../common/worker-process.js';
import { measuredStepSchema, type TrainCase } from '../train-protocol.js';

/**
 * Trains each network for some steps on the device and on the processor, from the same start on the same batch, and
 * compares the losses. Part of benchmarks/gpu/train.sh.
 */

const STEPS = 5;

/** Relative difference of a step's loss: float32 sums in another order, grown over the steps before. */
const TOLERANCE = 2e-3;

/** Half precision keeps three digits. */
const AMP_TOLERANCE = 5e-2;

const SIZES = { speechCoefficient: 'tiny', faceCoefficient: 'tiny', frames: 8, words: 12, clips: 8 } as const;

/** No dropout is left out: its random bits are the same on every device. */
async function losses(trainCase: TrainCase, amp: boolean, env: Record<string, string>) {
  const { worker, info } = await WorkerProcess.start({
    name: 'check',
    module: new URL('../train-child.js', import.meta.url),
    config: { trainCase, amp },
    env,
  });
  try {
    const { device } = z.object({ device: z.string() }).parse(info);
    const all: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      all.push(measuredStepSchema.parse(await worker.execute({ profile: false })).loss);
    }
    return { device, all };
  } finally {
    await worker.kill();
  }
}

const { values } = parseArgs({ options: { device: { type: 'string', default: 'cuda' } } });
const wanted = values.device === 'cpu' ? 'CPU' : 'GPU';
const onDevice: Record<string, string> = wanted === 'CPU' ? { CUDA_VISIBLE_DEVICES: '' } : {};
// TensorFloat-32 keeps as few digits as half precision.
const exact = { NVIDIA_TF32_OVERRIDE: '0' };
let failures = 0;
for (const mode of ['speech', 'face', 'text', 'multimodal'] as const) {
  const trainCase: TrainCase = { ...SIZES, mode, optim: mode === 'multimodal' ? 'sgd' : 'ranger' };
  const reference = await losses(trainCase, false, { CUDA_VISIBLE_DEVICES: '' });
  for (const amp of [false, true]) {
    const { device, all } = await losses(trainCase, amp, { ...exact, ...onDevice });
    const error = Math.max(...all.map((loss, i) => Math.abs(loss - reference.all[i]!) / Math.abs(reference.all[i]!)));
    const good = device === wanted && error < (amp ? AMP_TOLERANCE : TOLERANCE);
    if (!good) failures++;
    const verdict = good ? 'ok' : 'FAILED';
    process.stdout.write(
      `${verdict}: ${mode}${amp ? ' --amp' : ''} on ${device}: ${STEPS} losses within ${error.toExponential(1)} of the processor's\n`,
    );
  }
}
if (failures > 0) process.exitCode = 1;
