import { parentPort, workerData } from 'node:worker_threads';
import { asMerError } from '../../common/errors.js';
import type { LoaderAnswer, LoaderData, LoaderTask } from './batch-loader.js';
import { makeBatch, type TrainingBatch } from './batches.js';
import { Dataset } from './dataset.js';

/** A thread of the batch loader: it reads, augments and mixes whole batches. Both ends are of one build. */
const { source, spec, config, cacheBytes } = workerData.data as LoaderData;
const dataset = Dataset.from(source, cacheBytes);

parentPort?.on('message', async ({ id, epoch, step }: LoaderTask) => {
  let answer: LoaderAnswer;
  let memory: ArrayBuffer[] = [];
  try {
    const batch = await makeBatch(dataset, spec, config, epoch, step);
    answer = { id, batch };
    memory = buffersOf(batch);
  } catch (error) {
    answer = { id, error: asMerError(error).toJSON() };
  }
  parentPort?.postMessage(answer, memory);
});

/** The memory of a batch, which is handed over instead of copied. */
function buffersOf({ batch, targets, observed }: TrainingBatch): ArrayBuffer[] {
  const arrays = [
    ...[batch.speech, batch.face, batch.text].flatMap(({ data, lengths }) => [data, lengths]),
    ...Object.values(targets),
    batch.presence,
    observed,
  ];
  return [...new Set(arrays.map(({ buffer }) => buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}
