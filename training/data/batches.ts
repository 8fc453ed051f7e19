import os from 'node:os';
import { MODALITIES } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { type Batch, collate, type InputSpec, type ModelInputs } from '../../preprocessing/model-inputs.js';
import type { TrainConfig } from '../config.js';
import { augmentFace } from './augment-face.js';
import { augmentSpeech } from './augment-speech.js';
import type { Dataset, Example } from './dataset.js';
import { mixBatch } from './mix.js';
import { smoothedTargets, type Targets } from './targets.js';

export interface TrainingBatch {
  batch: Batch;
  targets: Targets;
  /** (clips, 3): presence before modality dropout, which the heads of the branches learn from. */
  observed: Float32Array;
  stems: string[];
}

/** Steps of an epoch: a last batch of a single clip is left out, since batch statistics of one clip say little. */
export function stepsPerEpoch(clips: number, batchSize: number): number {
  return Math.max(1, Math.floor(clips / batchSize) + (clips % batchSize > 1 ? 1 : 0));
}

/**
 * The augmented batches of one epoch in random order; the next one is read while the caller uses the present one.
 * They depend on seed, epoch and step alone, so that an epoch can be gone on with.
 * @param first steps of the epoch that are done
 */
export async function* trainingBatches(
  dataset: Dataset,
  spec: InputSpec,
  config: TrainConfig,
  epoch: number,
  first = 0,
): AsyncGenerator<TrainingBatch> {
  const order = Random.for(config.seed, 'order', epoch).permutation(dataset.size);
  const steps = stepsPerEpoch(dataset.size, config.batch_size);
  const make = (step: number) => {
    const indices = order.slice(step * config.batch_size, (step + 1) * config.batch_size);
    return makeBatch(dataset, indices, spec, config, epoch, step);
  };
  if (first >= steps) return;
  let next = make(first);
  for (let step = first; step < steps; step++) {
    const batch = await next;
    if (step + 1 < steps) next = make(step + 1);
    // A failed read is thrown by the `await` of its own turn; without this it would end the process before.
    next.catch(() => {});
    yield batch;
  }
}

async function makeBatch(
  dataset: Dataset,
  indices: readonly number[],
  spec: InputSpec,
  config: TrainConfig,
  epoch: number,
  step: number,
): Promise<TrainingBatch> {
  const examples = await loadAll(dataset, indices, config.num_workers);
  const inputs = examples.map((example, position) => {
    const random = Random.for(config.seed, 'augment', epoch, indices[position]!);
    return augment(example, random, config);
  });
  const batch = collate(inputs, spec);
  const targets = smoothedTargets(examples, config.label_smoothing);
  const random = Random.for(config.seed, 'mix', epoch, step);
  mixBatch(batch, targets, spec.faceSize, config, random);
  const observed = batch.presence.slice();
  if (config.mode === 'multimodal') dropModalities(batch.presence, config.modality_dropout, random);
  return { batch, targets, observed, stems: examples.map(({ record }) => record.stem) };
}

/** Only what the mode uses is augmented; the rest is left out of the batch. */
function augment(example: Example, random: Random, { mode, compat, time_warp }: TrainConfig): ModelInputs {
  const all = mode === 'multimodal';
  const { inputs, longSpeech, allFaces, record } = example;
  const { speech, face, text } = inputs;
  const speechSettings = { compat, timeWarp: time_warp };
  return {
    speech: speech && (all || mode === 'speech') ? augmentSpeech(speech, longSpeech, random, speechSettings) : null,
    face: face && (all || mode === 'face') ? augmentFace(allFaces ?? face, record, random, compat) : null,
    text: text && (all || mode === 'text') ? text : null,
  };
}

/**
 * Modality dropout: with this probability a clip loses one or two of the modalities that it has, never all of them.
 * @param presence (clips, 3), changed in place
 */
export function dropModalities(presence: Float32Array, probability: number, random: Random): void {
  const count = MODALITIES.length;
  for (let row = 0; row < presence.length; row += count) {
    if (random.uniform() >= probability) continue;
    const present = MODALITIES.map((_, index) => index).filter((index) => presence[row + index] === 1);
    if (present.length < 2) continue;
    const lost = 1 + random.integer(present.length - 1);
    for (const position of random.permutation(present.length).slice(0, lost)) presence[row + present[position]!] = 0;
  }
}

/** Reads clips, `workers` at a time (at most two for each core: more only wait for each other). */
async function loadAll(dataset: Dataset, indices: readonly number[], workers: number): Promise<Example[]> {
  const examples = new Array<Example>(indices.length);
  let position = 0;
  const worker = async () => {
    while (position < indices.length) {
      const mine = position++;
      examples[mine] = await dataset.load(indices[mine]!);
    }
  };
  const count = Math.max(1, Math.min(workers, 2 * os.availableParallelism(), indices.length));
  await Promise.all(Array.from({ length: count }, worker));
  return examples;
}
