import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../../common/files.js';
import { PROJECT_ROOT } from '../../../common/paths.js';
import { readSafetensors, type StateDict } from '../../../common/safetensors.js';
import { networkParameters } from '../../../models/parameters.js';
import type { ModelSpec } from '../../../models/spec.js';
import { writeCheckpoint } from '../../../training/checkpoint.js';
import { exportWeights } from '../../../training/weights/export-weights.js';
import { SMALL_SPEC } from '../../helpers/reference-files.js';
import { inTemporaryFolder } from '../../helpers/temporary-folder.js';

/** Exports a network of zeros and reads the file back. */
function exported(spec: ModelSpec): Promise<StateDict> {
  return inTemporaryFolder(async (folder) => {
    const [run, out] = [path.join(folder, 'run.safetensors'), path.join(folder, 'out.safetensors')];
    const state: StateDict = new Map(
      networkParameters(spec).map(({ name, shape }) => {
        const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
        return [name, { dtype: 'F32', shape, data }];
      }),
    );
    await writeCheckpoint(run, state, { spec, config: {}, epoch: 1, maxFrames: 32, metrics: {}, origins: {} });
    await exportWeights(run, out);
    return (await readSafetensors(out)).tensors;
  });
}

test('names, types and shapes are those of a real state dict of the reference, and as many as it has', async () => {
  const schema = z.record(z.string(), z.tuple([z.string(), z.array(z.number())]));
  const golden = await readJson(path.join(PROJECT_ROOT, 'test', 'golden', 'attncnn_b0_partial.json'), schema);
  const tensors = await exported({ ...SMALL_SPEC, mode: 'speech', speechCoefficient: '0' });
  for (const [name, expected] of Object.entries(golden)) {
    const tensor = tensors.get(name);
    expect([tensor?.dtype, tensor?.shape], name).toEqual(expected);
  }
  expect(tensors.size).toBe(370);
});

test('the template layer that the reference never uses is there, so that PyTorch loads strictly', async () => {
  const tensors = await exported({ ...SMALL_SPEC, mode: 'text', textLayers: 3 });
  expect(tensors.size).toBe(50);
  expect(tensors.get('encoder_layer.linear1.weight')?.shape).toEqual([2048, 200]);
});

test('a network that the reference does not have is refused', async () => {
  await expect(exported({ ...SMALL_SPEC, fusion: 'gated' })).rejects.toMatchObject({
    code: 'bad_argument',
    message: expect.stringContaining('gated fusion'),
  });
});
