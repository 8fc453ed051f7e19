import path from 'node:path';
import { exportBundle } from '../../export/bundle.js';
import { networkParameters } from '../../models/parameters.js';
import { writeCheckpoint } from '../../training/checkpoint.js';
import { formulaState } from './golden-weights.js';
import { TINY_SPEC } from './tiny-model.js';

/** A process of its own, since the exporter loads TensorFlow: argument 1 is a folder that gets run/ and bundle/. */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name a folder.');
const run = path.join(folder, 'run');
await writeCheckpoint(path.join(run, '1_best_1.9459.safetensors'), formulaState(networkParameters(TINY_SPEC)), {
  spec: TINY_SPEC,
  config: { mode: 'multimodal', exp_name: 'tiny' },
  maxFrames: 8,
  wordTable: null,
  epoch: 1,
  origins: {},
  metrics: {},
});
await exportBundle({ run, out: path.join(folder, 'bundle'), name: 'tiny' });
