import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeNpy } from '../../common/npy.js';
import { storedFaces } from '../../preprocessing/corpus/stored-faces.js';
import { shrinkFrames } from '../../preprocessing/model-inputs.js';

const FRAME = 224 * 224 * 3;
const data = Uint8Array.from({ length: 5 * FRAME }, (_, i) => (i * 31 + Math.floor(i / FRAME)) % 256);

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-faces-'));
  file = path.join(directory, 'clip.npy');
  await fsp.writeFile(file, encodeNpy({ dtype: 'uint8', shape: [5, 224, 224, 3], data }));
});
afterAll(() => fsp.rm(directory, { recursive: true }));

const frame = (index: number) => data.subarray(index * FRAME, (index + 1) * FRAME);

test('the frames that are taken are those of the whole file, in the order asked for', () => {
  const expected = Buffer.concat([frame(4), frame(0), frame(2)]);
  expect(Buffer.compare(storedFaces(file, 5, 224).take([4, 0, 2]), expected)).toBe(0);
  const small = storedFaces(file, 5, 56).take([3]);
  expect(Buffer.compare(small, shrinkFrames(frame(3), 1, 56))).toBe(0);
});

test('a file that is not what the record says is named', async () => {
  expect(() => storedFaces(file, 6, 224)).toThrow(file);
  const cut = path.join(directory, 'cut.npy');
  await fsp.writeFile(cut, (await fsp.readFile(file)).subarray(0, 3 * FRAME));
  expect(() => storedFaces(cut, 5, 224).take([4])).toThrow(`${cut}: it is cut short`);
  expect(() => storedFaces(path.join(directory, 'none.npy'), 5, 224)).toThrow('none.npy');
});
