import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listClips } from '../../../preprocessing/corpus/feature-store.js';
import { modelSpec } from '../../../training/config.js';
import { BatchLoader } from '../../../training/data/batch-loader.js';
import { type TrainingBatch, trainingBatches } from '../../../training/data/batches.js';
import { Dataset } from '../../../training/data/dataset.js';
import { parseTrainConfig } from '../../../training/parse-config.js';
import { makeWordFeatures } from '../../helpers/word-features.js';

let features: string;
beforeAll(async () => {
  features = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-loader-'));
  await makeWordFeatures(features, 40, 3);
});
afterAll(() => fsp.rm(features, { recursive: true }));

async function setUp(workers: number) {
  const config = parseTrainConfig({
    mode: 'text',
    features,
    batch_size: 5,
    n_epoch: 2,
    num_workers: workers,
    mixup_prob: 1,
    mixup_alpha: 1,
  });
  const records = await listClips(features, 'train');
  const spec = modelSpec(config, records.find(({ text }) => text.status === 'used')!.text.dim);
  const dataset = Dataset.of(features, 'train', records, spec, 'text');
  return { config, spec, dataset };
}

/** All bits of each batch as a hash: comparing a million numbers one by one would take minutes. */
async function collect(batches: AsyncGenerator<TrainingBatch>): Promise<string[]> {
  const all: string[] = [];
  for await (const { batch, targets, observed, stems } of batches) {
    const { speech, face, text, presence } = batch;
    const hash = crypto.createHash('sha256').update(`${batch.clips} ${face.frames} ${text.words} ${stems}`);
    const parts = [speech, face, text].flatMap(({ data, lengths }) => [data, lengths]);
    for (const data of [...parts, presence, observed, ...Object.values(targets)]) hash.update(data);
    all.push(hash.digest('hex'));
  }
  return all;
}

async function epochs(workers: number): Promise<string[]> {
  const { config, spec, dataset } = await setUp(workers);
  const loader = new BatchLoader(dataset, spec, config);
  try {
    return [...(await collect(loader.batches(0))), ...(await collect(loader.batches(1)))];
  } finally {
    await loader.dispose();
  }
}

test('batches are the same bits whatever the number of threads', async () => {
  const { config, spec, dataset } = await setUp(0);
  const expected = [
    ...(await collect(trainingBatches(dataset, spec, config, 0))),
    ...(await collect(trainingBatches(dataset, spec, config, 1))),
  ];
  for (const workers of [0, 1, 2]) expect(await epochs(workers)).toEqual(expected);
});

test('an epoch can be gone on with from any step', async () => {
  const { config, spec, dataset } = await setUp(1);
  const loader = new BatchLoader(dataset, spec, config);
  const rest = await collect(loader.batches(1, 3));
  expect(rest).toEqual((await collect(trainingBatches(dataset, spec, config, 1))).slice(3));
  await loader.dispose();
});

test('a clip that cannot be read is an error that names its file', async () => {
  const { config, spec, dataset } = await setUp(1);
  const broken = Dataset.from({ ...dataset.source, featuresDir: path.join(features, 'nowhere') }, 0);
  const loader = new BatchLoader(broken, spec, config);
  await expect(collect(loader.batches(0))).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('nowhere'),
  });
  await loader.dispose();
});
