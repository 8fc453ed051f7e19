import fsp from 'node:fs/promises';
import { z } from 'zod';
import { MerError } from './errors.js';
import { writeFileAtomic } from './files.js';

/** A named float32 (or int64, for PyTorch's `num_batches_tracked`) array in PyTorch's layout. */
export type StateTensor =
  | { dtype: 'F32'; shape: number[]; data: Float32Array }
  | { dtype: 'I64'; shape: number[]; data: BigInt64Array };

export type StateDict = Map<string, StateTensor>;

const headerSchema = z.record(
  z.string(),
  z.union([
    z.object({
      dtype: z.string(),
      shape: z.array(z.number().int().nonnegative()),
      data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
    }),
    z.record(z.string(), z.string()),
  ]),
);

/** Writes tensors and string metadata as one safetensors file, whole or not at all. */
export async function writeSafetensors(
  file: string,
  tensors: StateDict,
  metadata: Record<string, string> = {},
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  const bodies: Uint8Array[] = [];
  // 8-byte types first, so that every tensor is aligned to its own size.
  const ordered = [...tensors].sort(([, a], [, b]) => Number(a.dtype === 'F32') - Number(b.dtype === 'F32'));
  for (const [name, tensor] of ordered) {
    const { buffer, byteOffset, byteLength } = tensor.data;
    header[name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, offset + byteLength] };
    bodies.push(new Uint8Array(buffer, byteOffset, byteLength));
    offset += byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  await writeFileAtomic(file, Buffer.concat([length, padded, ...bodies]));
}

/** Bytes a number of the types that are read. */
const ITEM_SIZES: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8 };

/** Reads a safetensors file; F64, F16 and BF16 tensors become F32. @throws MerError naming the file and tensor */
export async function readSafetensors(file: string): Promise<{ tensors: StateDict; metadata: Record<string, string> }> {
  const bad = (why: string) =>
    new MerError('bad_file', `${file}: ${why}.`, 'Give a safetensors file with floating-point tensors.');
  let bytes: Buffer;
  try {
    bytes = await fsp.readFile(file);
  } catch (error) {
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  }
  const headerLength = bytes.length >= 8 ? Number(bytes.readBigUInt64LE()) : -1;
  if (headerLength < 2 || 8 + headerLength > bytes.length) throw bad('not a safetensors file');
  let header: z.infer<typeof headerSchema>;
  try {
    header = headerSchema.parse(JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)));
  } catch {
    throw bad('its header cannot be read');
  }
  const tensors: StateDict = new Map();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (!isTensorEntry(entry)) {
      metadata = entry;
      continue;
    }
    const itemSize = ITEM_SIZES[entry.dtype];
    if (itemSize === undefined) throw bad(`tensor ${name} has dtype ${entry.dtype}`);
    const [from, to] = entry.data_offsets;
    const count = entry.shape.reduce((product, size) => product * size, 1);
    if (to - from !== count * itemSize || 8 + headerLength + to > bytes.length)
      throw bad(`tensor ${name} is cut short`);
    const data = new Uint8Array(bytes.subarray(8 + headerLength + from, 8 + headerLength + to)).buffer;
    const { shape } = entry;
    if (entry.dtype === 'I64') tensors.set(name, { dtype: 'I64', shape, data: new BigInt64Array(data) });
    else tensors.set(name, { dtype: 'F32', shape, data: asFloat32(entry.dtype, data) });
  }
  return { tensors, metadata };
}

function asFloat32(dtype: string, bytes: ArrayBuffer): Float32Array {
  switch (dtype) {
    case 'F64':
      return Float32Array.from(new Float64Array(bytes));
    case 'F16':
      return Float32Array.from(new Uint16Array(bytes), fromHalf);
    case 'BF16':
      // The upper half of a float32.
      return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer);
    default:
      return new Float32Array(bytes);
  }
}

/** The number of 16 bits of IEEE 754 binary16: a sign, 5 bits of exponent and 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction > 0 ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

type TensorEntry = { dtype: string; shape: number[]; data_offsets: [number, number] };

function isTensorEntry(entry: TensorEntry | Record<string, string>): entry is TensorEntry {
  return Array.isArray(entry.shape);
}
