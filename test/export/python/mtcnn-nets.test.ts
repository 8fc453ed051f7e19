import fs from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { decodeNpzEntry } from '../../../common/npz.js';
import { MTCNN_DIR, PROJECT_ROOT } from '../../../common/paths.js';

const golden = fs.readFileSync(path.join(PROJECT_ROOT, 'test', 'golden', 'mtcnn_nets.npz'));
const array = (key: string) => decodeNpzEntry(golden, key, 'mtcnn_nets.npz');

/** Runs a net on the golden input `key`, to which the batch axis is added where it lacks one. */
async function run(net: string, key: string) {
  const session = await InferenceSession.create(path.join(MTCNN_DIR, `${net}.onnx`));
  const { data, shape } = array(key);
  const image = new Tensor('float32', Float32Array.from(data, Number), shape.length === 3 ? [1, ...shape] : shape);
  return { session, outputs: await session.run({ image }) };
}

// Both sides compute in float32 and sum in another order: 1e-4 is a hundred times what was measured (1.3e-6).
const DIGITS = 4;

function expectClose(found: Tensor | undefined, key: string, from = 0): void {
  const expected = array(key).data;
  for (let i = 0; i < expected.length; i++)
    expect(Number(found?.data[from + i]), `${key}[${i}]`).toBeCloseTo(Number(expected[i]), DIGITS);
}

describe('the MTCNN nets compute what facenet-pytorch computes', () => {
  it.each([3, 4, 5])('P-Net at pyramid level %i', async (level) => {
    const { outputs } = await run('pnet', `pnet${level}_in`);
    expectClose(outputs.boxes, `pnet${level}_reg`);
    // The golden file holds the second class only: the probability of a face.
    expectClose(outputs.probabilities, `pnet${level}_prob`, array(`pnet${level}_prob`).data.length);
  });

  it('R-Net', async () => {
    const { outputs } = await run('rnet', 'rnet_in');
    expectClose(outputs.boxes, 'rnet_reg');
    expectClose(outputs.probabilities, 'rnet_prob');
  });

  it('O-Net', async () => {
    const { outputs } = await run('onet', 'onet_in');
    expectClose(outputs.boxes, 'onet_reg');
    expectClose(outputs.points, 'onet_points');
    expectClose(outputs.probabilities, 'onet_prob');
  });

  it('any number of faces at once', async () => {
    const { session, outputs } = await run('onet', 'onet_in');
    const one = Float32Array.from(array('onet_in').data, Number);
    const two = new Tensor('float32', Float32Array.of(...one, ...one), [2, 3, 48, 48]);
    const { boxes } = await session.run({ image: two });
    expect(boxes?.dims).toEqual([2, 4]);
    // The same kernel on another batch size: equal but for the last bits.
    for (let i = 0; i < 8; i++) expect(Number(boxes?.data[i])).toBeCloseTo(Number(outputs.boxes?.data[i % 4]), 6);
  });
});
