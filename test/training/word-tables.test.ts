import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StateDict } from '../../common/safetensors.js';
import { networkParameters } from '../../models/parameters.js';
import { readCheckpoint, writeCheckpoint } from '../../training/checkpoint.js';
import { modelSpec } from '../../training/config.js';
import { loadStartingWeights } from '../../training/initial-state.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { train } from '../../training/train.js';
import { formulaState } from '../helpers/golden-weights.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { makeWordFeatures } from '../helpers/word-features.js';

const [ONE, OTHER] = ['a1'.repeat(32), 'b2'.repeat(32)];

function textRun(folder: string, flags: Record<string, unknown> = {}) {
  return parseTrainConfig({
    mode: 'text',
    features: path.join(folder, 'features'),
    logs: path.join(folder, 'logs'),
    text_layers: 1,
    n_epoch: 1,
    batch_size: 16,
    ...flags,
  });
}

/** Starts a run on features of the table `features` from a checkpoint of the table `checkpoint`. */
async function startFrom(checkpoint: string | null, features: string | null, epoch = 1): Promise<StateDict> {
  return inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'text.safetensors');
    const config = textRun(folder, { text_load_weights: file });
    const spec = modelSpec(config, 8);
    const parameters = networkParameters(spec);
    const about = { spec, config: {}, maxFrames: 8, wordTable: checkpoint, epoch, metrics: {}, origins: {} };
    await writeCheckpoint(file, formulaState(parameters), { ...about, subject: 'largest' });
    const state: StateDict = formulaState(parameters);
    await loadStartingWeights(state, spec, config, features);
    return state;
  });
}

describe('words of two tables', () => {
  it('are refused in the training and validation clips, naming both', async () => {
    await inTemporaryFolder(async (folder) => {
      await makeWordFeatures(path.join(folder, 'features'), 40, 5, undefined, (split) =>
        split === 'train' ? ONE : OTHER,
      );
      const running = train(textRun(folder));
      await expect(running).rejects.toMatchObject({ code: 'bad_argument' });
      for (const table of [ONE, OTHER]) {
        await expect(running).rejects.toMatchObject({ message: expect.stringContaining(table) });
      }
    });
  });

  it('are refused when a run goes on with features that were made again', async () => {
    await inTemporaryFolder(async (folder) => {
      const features = path.join(folder, 'features');
      await makeWordFeatures(features, 60, 5, undefined, () => ONE);
      await train(textRun(folder));
      await makeWordFeatures(features, 60, 5, undefined, () => OTHER);
      await expect(train(textRun(folder, { resume: true }))).rejects.toMatchObject({
        code: 'bad_argument',
        message: expect.stringMatching(new RegExp(`${ONE}, those of .*${OTHER}`)),
      });
    });
  });

  it.each([
    [ONE, OTHER],
    [ONE, null],
    [null, OTHER],
  ])('are refused in features and starting weights: %s and %s', async (checkpoint, features) => {
    await expect(startFrom(checkpoint, features)).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringMatching(/The words of .*text\.safetensors are .*, those of the features are /),
    });
  });

  it('are not known of imported weights, which may be trained on', async () => {
    expect((await startFrom(null, ONE, 0)).size).toBeGreaterThan(0);
  });
});

describe('words of one table', () => {
  it('may go on from weights of the same', async () => {
    expect((await startFrom(ONE, ONE)).size).toBeGreaterThan(0);
  });

  it('give checkpoints that name it', async () => {
    await inTemporaryFolder(async (folder) => {
      await makeWordFeatures(path.join(folder, 'features'), 60, 5, undefined, () => ONE);
      const { run } = await train(textRun(folder));
      expect((await readCheckpoint(run)).wordTable).toBe(ONE);
    });
  });
});
