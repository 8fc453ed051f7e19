import fs from 'node:fs';
import { runChild } from '../common/child-main.js';
import { EMOTION_COUNT, MODALITIES } from '../common/labels.js';
import { Random } from '../common/random.js';
import { networkParameters } from '../models/parameters.js';
import { collate, type ModelInputs, SPEECH_FRAMES } from '../preprocessing/model-inputs.js';
import { modelSpec } from '../training/config.js';
import type { TrainingBatch } from '../training/data/batches.js';
import { randomState } from '../training/initial-state.js';
import { parseTrainConfig } from '../training/parse-config.js';
import { TrainingSession } from '../training/session.js';
import type { Native } from '../training/tensorflow/native.js';
import {
  type MeasuredStep,
  type TrainCase,
  trainChildConfigSchema,
  trainChildRequestSchema,
} from './train-protocol.js';

const MEL_BANDS = 128;
const WORD_DIM = 200;
const LEARNING_RATE = 1e-4;
const WEIGHT_DECAY = 5e-5;

/** The measuring process of `mer bench train`: steps of a session on one random batch, as `mer train` does them. */
runChild({
  configSchema: trainChildConfigSchema,
  requestSchema: trainChildRequestSchema,
  async setUp({ trainCase, amp }) {
    const config = parseTrainConfig({
      compat: 'seed',
      mode: trainCase.mode,
      speech_coeff: trainCase.speechCoefficient,
      face_coeff: trainCase.faceCoefficient,
      optim: trainCase.optim,
      weight_decay: WEIGHT_DECAY,
      batch_size: trainCase.clips,
      amp,
    });
    const spec = modelSpec(config, WORD_DIM);
    const session = await TrainingSession.create(spec, config, randomState(networkParameters(spec), config.seed));
    const training = randomBatch(trainCase, spec);
    return {
      info: { device: session.native.usesGpu ? 'GPU' : 'CPU' },
      async handle({ profile }): Promise<MeasuredStep> {
        const kernels = profile ? watchKernels(session.native) : () => [];
        const start = performance.now();
        const { loss } = session.train(training, LEARNING_RATE);
        const seconds = (performance.now() - start) / 1000;
        return { seconds, loss, peakBytes: peakBytes(), kernels: kernels() };
      },
    };
  },
});

function randomBatch({ mode, clips, frames, words }: TrainCase, spec: Parameters<typeof collate>[1]): TrainingBatch {
  const random = Random.for(1, 'bench train');
  const faceValues = frames * spec.faceSize * spec.faceSize * 3;
  const used = (modality: string) => mode === 'multimodal' || mode === modality;
  const floats = (length: number, draw: () => number) => Float32Array.from({ length }, draw);
  const inputs = Array.from({ length: clips }, (): ModelInputs => {
    const speech = { data: floats(MEL_BANDS * SPEECH_FRAMES, () => random.uniform()), length: SPEECH_FRAMES };
    const face = { data: Uint8Array.from({ length: faceValues }, () => random.integer(256)), length: frames };
    const text = { data: floats(words * spec.wordDim, () => random.normal()), length: words };
    return {
      speech: used('speech') ? speech : null,
      face: used('face') ? face : null,
      text: used('text') ? text : null,
    };
  });
  const rows = () =>
    floats(clips * EMOTION_COUNT, () => 0.1 / 6).map((value, i) => (i % EMOTION_COUNT === 1 ? 0.9 : value));
  return {
    batch: collate(inputs, spec),
    targets: { inte: rows(), face: rows(), speech: rows() },
    observed: new Float32Array(clips * MODALITIES.length).fill(1),
    stems: inputs.map((_, clip) => `random ${clip}`),
  };
}

/** Adds up the time of every kernel until the returned function is called. */
function watchKernels(native: Native): () => MeasuredStep['kernels'] {
  const times = new Map<string, { kernel: string; count: number; seconds: number }>();
  const stop = native.observe((kernel, _inputs, _outputs, milliseconds) => {
    const sum = times.get(kernel) ?? { kernel, count: 0, seconds: 0 };
    times.set(kernel, { kernel, count: sum.count + 1, seconds: sum.seconds + milliseconds / 1000 });
  });
  return () => {
    stop();
    return [...times.values()].sort((a, b) => b.seconds - a.seconds);
  };
}

/** 0 where the system does not say. */
function peakBytes(): number {
  try {
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
