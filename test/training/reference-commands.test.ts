import path from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { referenceCommands } from '../../benchmarks/reference-commands.js';
import { addTrainCommand } from '../../cli/train.js';
import { readCheckpoint } from '../../training/checkpoint.js';
import type { TrainConfig } from '../../training/config.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { train } from '../../training/train.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { makeTinyFeatures } from '../helpers/tiny-features.js';

/** The configuration that `mer` makes of a command line. */
function parse(args: readonly string[]): TrainConfig {
  const program = new Command('mer');
  addTrainCommand(program);
  const command = program.commands.find((candidate) => candidate.name() === 'train')!;
  const { operands, unknown } = command.parseOptions(args.slice(1));
  expect([...operands, ...unknown]).toEqual([]);
  return parseTrainConfig(command.opts());
}

test('the four commands of the reference mean here what they mean there', () => {
  const common = {
    learning_rate: 4e-3,
    warmup: 0,
    weight_decay: 5e-5,
    num_workers: 16,
    label_smoothing: 0.1,
    amp: true,
  };
  const [speech, face, text, multimodal] = referenceCommands('logs').map(parse);
  expect(speech).toMatchObject({
    ...common,
    ...{ mode: 'speech', exp_name: 'AttnCNN-B4', batch_size: 256, n_epoch: 100, optim: 'ranger' },
    ...{ speech_coeff: '4', mixup_prob: 1, mixup_alpha: 1, cutmix_prob: 0 },
  });
  expect(face).toMatchObject({
    ...common,
    ...{ mode: 'face', exp_name: 'CLSTM-B0', batch_size: 32, n_epoch: 20, optim: 'ranger' },
    ...{ face_coeff: '0', cutmix_prob: 1, cutmix_beta: 1, mixup_prob: 0 },
  });
  expect(text).toMatchObject({
    ...common,
    ...{ mode: 'text', exp_name: 'transformer-3_4', batch_size: 128, n_epoch: 20, optim: 'ranger' },
  });
  expect(multimodal).toMatchObject({
    ...common,
    ...{ mode: 'multimodal', exp_name: '201111', batch_size: 32, n_epoch: 3, optim: 'sgd', lam: 0 },
    ...{ speech_coeff: '4', face_coeff: '0' },
    speech_load_weights: 'logs/speech/AttnCNN-B4',
    text_load_weights: 'logs/text/transformer-3_4',
    face_load_weights: 'logs/face/CLSTM-B0',
  });
});

test('they run one after the other, here on tiny networks and a few clips', async () => {
  await inTemporaryFolder(async (folder) => {
    const [features, logs] = [path.join(folder, 'features'), path.join(folder, 'logs')];
    await makeTinyFeatures(features, { compat: 'default', train: 7, val: 7, wordDim: 8, faceFrames: 3 });
    const small = ['--n_epoch', '1', '--speech_coeff', 'tiny', '--face_coeff', 'tiny', '--text_layers', '1'];
    for (const args of referenceCommands(logs)) {
      await train(parse([...args, ...small, '--features', features, '--logs', logs]));
    }
    const { metrics, spec } = await readCheckpoint(path.join(logs, 'multimodal', '201111'));
    expect(spec.mode).toBe('multimodal');
    expect(Object.keys(metrics).sort()).toEqual(['face', 'inte', 'speech', 'text']);
  });
});
