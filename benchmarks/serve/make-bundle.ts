import path from 'node:path';
import { exportBundle } from '../../export/bundle.js';
import { networkParameters } from '../../models/parameters.js';
import { MAX_FRAMES } from '../../preprocessing/features.js';
import { writeCheckpoint } from '../../training/checkpoint.js';
import { modelSpec } from '../../training/config.js';
import { randomState } from '../../training/initial-state.js';
import { parseTrainConfig } from '../../training/parse-config.js';

/**
 * A process of its own, since the exporter loads TensorFlow: exports a multimodal network of the reference's size
 * (AttnCNN-B4, CLSTM-B0, 12 layers of text) in default mode, with random weights, which cost the same time as trained
 * ones. Argument 1 is a folder that gets run/ and bundle/.
 */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name a folder.');
const run = path.join(folder, 'run');
const config = parseTrainConfig({ mode: 'multimodal', exp_name: 'bench', speech_coeff: '4', face_coeff: '0' });
const spec = modelSpec(config, 200);
const state = randomState(networkParameters(spec), config.seed);
await writeCheckpoint(path.join(run, '1_best_1.9459.safetensors'), state, {
  spec,
  config: { ...config },
  maxFrames: MAX_FRAMES,
  wordTable: null,
  epoch: 1,
  origins: {},
  metrics: {},
});
await exportBundle({ run, out: path.join(folder, 'bundle'), name: 'bench' });
