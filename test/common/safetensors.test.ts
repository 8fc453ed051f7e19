import fsp from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../common/safetensors.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';

/** A safetensors file with one tensor `x` of four numbers. */
async function read(dtype: string, data: Uint8Array): Promise<unknown> {
  const header = Buffer.from(JSON.stringify({ x: { dtype, shape: [4], data_offsets: [0, data.length] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'x.safetensors');
    await fsp.writeFile(file, Buffer.concat([length, header, data]));
    return (await readSafetensors(file)).tensors.get('x')?.data;
  });
}

test.each([
  ['F64', new Uint8Array(Float64Array.of(1.5, -2, 0, 65504).buffer)],
  ['F32', new Uint8Array(Float32Array.of(1.5, -2, 0, 65504).buffer)],
  ['F16', new Uint8Array(Uint16Array.of(0x3e00, 0xc000, 0, 0x7bff).buffer)],
])('%s tensors are read as float32', async (dtype, bytes) => {
  expect(await read(dtype, bytes)).toEqual(Float32Array.of(1.5, -2, 0, 65504));
});

test('BF16 tensors are read as float32', async () => {
  const bytes = new Uint8Array(Uint16Array.of(0x3fc0, 0xc000, 0, 0x7f80).buffer);
  expect(await read('BF16', bytes)).toEqual(Float32Array.of(1.5, -2, 0, Number.POSITIVE_INFINITY));
});

test('the smallest and the special half-precision numbers are read', async () => {
  const bytes = new Uint8Array(Uint16Array.of(0x0001, 0x8400, 0xfc00, 0x7e00).buffer);
  expect(await read('F16', bytes)).toEqual(
    Float32Array.of(2 ** -24, -(2 ** -14), Number.NEGATIVE_INFINITY, Number.NaN),
  );
});

test('a tensor of another type is refused by name', async () => {
  await expect(read('U8', new Uint8Array(4))).rejects.toMatchObject({
    code: 'bad_file',
    message: expect.stringContaining('x has dtype U8'),
  });
});
