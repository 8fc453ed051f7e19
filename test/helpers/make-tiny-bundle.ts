import path from 'node:path';
import { exportBundle } from '../../export/bundle.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import { writeCheckpoint } from '../../training/checkpoint.js';
import { formulaState } from './golden-weights.js';
import { TINY_SPEC, tinyState } from './tiny-model.js';

/**
 * A process of its own, since the exporter loads TensorFlow: argument 1 is a folder that gets run/ and bundle/,
 * argument 2 the kind of bundle.
 */
const [folder, kind] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name a folder.');
const spec: ModelSpec = kind === 'seed' ? { ...TINY_SPEC, compat: 'seed', maxWords: 38, fusion: 'concat' } : TINY_SPEC;
const run = path.join(folder, 'run');
const state = kind === 'default' ? formulaState(networkParameters(spec)) : tinyState(spec);
await writeCheckpoint(path.join(run, '1_best_1.9459.safetensors'), state, {
  spec,
  config: { mode: 'multimodal', exp_name: 'tiny' },
  maxFrames: 8,
  wordTable: null,
  epoch: 1,
  origins: {},
  metrics: {},
});
await exportBundle({ run, out: path.join(folder, 'bundle'), name: kind === 'default' ? 'tiny' : `tiny-${kind}` });
