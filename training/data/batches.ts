import { mapConcurrent } from '../../common/concurrent.js';
import { MODALITIES } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { type Batch, collate, type InputSpec, type ModelInputs } from '../../preprocessing/model-inputs.js';
import type { TrainConfig } from '../config.js';
import { augmentFace } from './augment-face.js';
import { augmentSpeech } from './augment-speech.js';
import type { Dataset, Example } from './dataset.js';
import { mixBatch } from './mix.js';
import { smoothedTargets, type Targets } from './targets.js';

const CONCURRENT_READS = 4;

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
 * The augmented batch of one step: the clips of the epoch's random order, read, augmented, collated and mixed.
 * It depends on seed, epoch and step alone.
 */
export async function makeBatch(
  dataset: Dataset,
  spec: InputSpec,
  config: TrainConfig,
  epoch: number,
  step: number,
): Promise<TrainingBatch> {
  const order = Random.for(config.seed, 'order', epoch).permutation(dataset.size);
  const indices = order.slice(step * config.batch_size, (step + 1) * config.batch_size);
  const examples = await loadAll(dataset, indices);
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

/** The batches of one epoch, made here one by one. */
export async function* trainingBatches(
  dataset: Dataset,
  spec: InputSpec,
  config: TrainConfig,
  epoch: number,
): AsyncGenerator<TrainingBatch> {
  const steps = stepsPerEpoch(dataset.size, config.batch_size);
  for (let step = 0; step < steps; step++) yield makeBatch(dataset, spec, config, epoch, step);
}

/** Only what the mode uses is augmented; the rest is left out of the batch. */
function augment(example: Example, random: Random, { mode, compat, time_warp }: TrainConfig): ModelInputs {
  const all = mode === 'multimodal';
  const { inputs, longSpeech, allFaces, record } = example;
  const { speech, face, text } = inputs;
  const faces = allFaces ?? face;
  const speechSettings = { compat, timeWarp: time_warp };
  return {
    speech: speech && (all || mode === 'speech') ? augmentSpeech(speech, longSpeech, random, speechSettings) : null,
    face: faces && (all || mode === 'face') ? augmentFace(faces, record, random, compat) : null,
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

/** Reads clips, a few at a time: more only wait for each other. */
function loadAll(dataset: Dataset, indices: readonly number[]): Promise<Example[]> {
  return mapConcurrent(indices, CONCURRENT_READS, (index) => dataset.load(index));
}
