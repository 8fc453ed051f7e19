import { z } from 'zod';
import { WorkerProcess } from '../common/worker-process.js';
import { describeMachine, watchOthers } from './machine.js';
import { TUNED_MALLOC } from './reference/environment.js';
import { ReferenceSession } from './reference/session.js';
import { summarise } from './statistics.js';
import {
  type MeasuredStep,
  measuredStepSchema,
  type Side,
  type TrainCase,
  type TrainReport,
} from './train-protocol.js';

/** The cases of RECIPES: the reference's networks with batches that one machine of two cores can do. */
export const TRAIN_CASES = {
  face: { mode: 'face', clips: 2, optim: 'ranger' },
  speech: { mode: 'speech', clips: 8, optim: 'ranger' },
  multimodal: { mode: 'multimodal', clips: 2, optim: 'sgd' },
  text: { mode: 'text', clips: 32, optim: 'ranger' },
} as const satisfies Record<string, Pick<TrainCase, 'mode' | 'clips' | 'optim'>>;
export type TrainCaseName = keyof typeof TRAIN_CASES;

const SIZES = { speechCoefficient: '4', faceCoefficient: '0', frames: 16, words: 38 } as const;

/** Steps that nobody measures: kernels are built, optimizer state is made, memory grows. */
const WARMUP = 2;

export interface TrainBenchmark {
  cases: readonly TrainCaseName[];
  threads: number;
  repeats: number;
  /** Measure PyTorch's step beside ours. */
  reference: boolean;
  amp: boolean;
  profile: boolean;
  device: 'auto' | 'cpu';
  note(line: string): void;
}

interface Runner {
  step(): Promise<MeasuredStep>;
  kill(): Promise<void>;
}

/**
 * Measures training steps of ours and of PyTorch, each in a process of its own, one step of each in turn.
 * @throws MerError missing_part when TensorFlow or the reference's environment is not there
 */
export async function benchTrain(options: TrainBenchmark): Promise<TrainReport> {
  const others = watchOthers();
  let device = '';
  const cases: TrainReport['cases'] = [];
  for (const name of options.cases) {
    const trainCase: TrainCase = { ...SIZES, ...TRAIN_CASES[name] };
    options.note(`${name}: ${options.repeats} steps of each`);
    const runners: Partial<Record<'ours' | 'amp' | 'pytorch', Runner>> = {};
    try {
      const ours = await startOurs(trainCase, false, options);
      device = ours.device;
      runners.ours = ours;
      if (options.amp) runners.amp = await startOurs(trainCase, true, options);
      if (options.reference) runners.pytorch = await startReference(trainCase, options.threads);
      const sides = await measureInTurn(runners, options.repeats);
      const kernels = options.profile ? await ours.profile() : [];
      cases.push({
        name,
        trainCase,
        ours: sides.ours!,
        amp: sides.amp ?? null,
        pytorch: sides.pytorch ?? null,
        ratio: sides.pytorch ? sides.ours!.seconds.median / sides.pytorch.seconds.median : null,
        kernels,
      });
    } finally {
      for (const runner of Object.values(runners)) await runner.kill();
    }
  }
  const { threads, repeats } = options;
  return { machine: describeMachine(), device, threads, repeats, others: others(), cases };
}

async function measureInTurn<Name extends string>(
  runners: Partial<Record<Name, Runner>>,
  repeats: number,
): Promise<Partial<Record<Name, Side>>> {
  const entries = Object.entries(runners) as [Name, Runner][];
  const steps = new Map<Name, MeasuredStep[]>(entries.map(([name]) => [name, []]));
  for (let round = 0; round < WARMUP + repeats; round++) {
    for (const [name, runner] of entries) {
      const step = await runner.step();
      steps.get(name)!.push(step);
    }
  }
  const sides: Partial<Record<Name, Side>> = {};
  for (const [name, all] of steps) {
    const seconds = all.slice(WARMUP).map((step) => step.seconds);
    sides[name] = { seconds: summarise(seconds), peakBytes: all.at(-1)!.peakBytes };
  }
  return sides;
}

async function startOurs(trainCase: TrainCase, amp: boolean, { threads, device }: TrainBenchmark) {
  const { worker, info } = await WorkerProcess.start({
    name: 'benchmark',
    module: new URL('./train-child.js', import.meta.url),
    config: { trainCase, amp },
    env: {
      ...TUNED_MALLOC,
      TF_NUM_INTRAOP_THREADS: `${threads}`,
      TF_CPP_MIN_LOG_LEVEL: '3',
      ...(device === 'cpu' ? { CUDA_VISIBLE_DEVICES: '' } : {}),
    },
  });
  const step = async (profile: boolean) => measuredStepSchema.parse(await worker.execute({ profile }));
  return {
    device: z.object({ device: z.string() }).parse(info).device,
    step: () => step(false),
    profile: async () => (await step(true)).kernels,
    kill: () => worker.kill(),
  };
}

async function startReference(trainCase: TrainCase, threads: number): Promise<Runner> {
  const session = await ReferenceSession.start('train_step.py', threads);
  await session.execute(trainCase);
  return {
    step: async () => measuredStepSchema.parse(await session.execute({})),
    kill: () => session.kill(),
  };
}
