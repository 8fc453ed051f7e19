import { MerError } from './errors.js';

/** A C-ordered array as NumPy stores it. float16 and float64 files are read as float32. */
export type NpyArray = { shape: number[] } & (
  | { dtype: 'float32'; data: Float32Array }
  | { dtype: 'uint8'; data: Uint8Array }
  | { dtype: 'int16'; data: Int16Array }
  | { dtype: 'int32'; data: Int32Array }
);

const MAGIC = '\x93NUMPY';
const DESCRIPTION = { float32: '<f4', uint8: '|u1', int16: '<i2', int32: '<i4' } as const;

/** Encodes an array as a `.npy` file (format 1.0, little-endian, C order). */
export function encodeNpy(array: NpyArray): Uint8Array {
  const shape = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(', ');
  const text = `{'descr': '${DESCRIPTION[array.dtype]}', 'fortran_order': False, 'shape': (${shape}), }`;
  const headerLength = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(headerLength, ' ');
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt8(1, 6);
  header.writeUInt8(0, 7);
  header.writeUInt16LE(headerLength - 10, 8);
  header.write(text, 10, 'latin1');
  header.write('\n', headerLength - 1, 'latin1');
  const { buffer, byteOffset, byteLength } = array.data;
  return Buffer.concat([header, new Uint8Array(buffer, byteOffset, byteLength)]);
}

/** What the header of a `.npy` file says, and where its data begins. */
export interface NpyLayout {
  /** NumPy's name of the data type, such as `<f4`. */
  descr: string;
  shape: number[];
  dataStart: number;
}

/** Reads the header. @param file at least the header's bytes. @throws MerError bad_file, naming `name` */
export function decodeNpyLayout(file: Buffer, name: string): NpyLayout {
  if (file.length < 12 || file.toString('latin1', 0, 6) !== MAGIC) throw badNpy(name, 'not a .npy file');
  const wide = file.readUInt8(6) > 1;
  const start = wide ? 12 : 10;
  const dataStart = start + (wide ? file.readUInt32LE(8) : file.readUInt16LE(8));
  const header = file.toString('latin1', start, dataStart);
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (descr === undefined || shapeText === undefined) throw badNpy(name, 'its header cannot be read');
  if (/'fortran_order':\s*True/.test(header)) throw badNpy(name, 'its data is in Fortran order');
  const shape = shapeText
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) throw badNpy(name, 'its shape cannot be read');
  return { descr, shape, dataStart };
}

function badNpy(name: string, why: string): MerError {
  return new MerError('bad_file', `${name}: ${why}.`, 'Save it again with numpy.save as float32 in C order.');
}

/** Decodes a `.npy` file. @throws MerError bad_file, naming `name`, when it is not one or is cut short */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { descr, shape, dataStart } = decodeNpyLayout(file, name);
  const count = shape.reduce((product, size) => product * size, 1);
  const itemSize = Number(descr.slice(2));
  if (!(count * itemSize <= file.length - dataStart)) throw badNpy(name, 'it is cut short');
  // A copy, so that the data is aligned and does not hold the whole file.
  const data = new Uint8Array(file.subarray(dataStart, dataStart + count * itemSize)).buffer;
  switch (descr) {
    case '<f4':
      return { dtype: 'float32', shape, data: new Float32Array(data) };
    case '<f8':
      return { dtype: 'float32', shape, data: Float32Array.from(new Float64Array(data)) };
    case '<f2':
      return { dtype: 'float32', shape, data: Float32Array.from(new Uint16Array(data), halfToFloat) };
    case '|u1':
      return { dtype: 'uint8', shape, data: new Uint8Array(data) };
    case '<i2':
      return { dtype: 'int16', shape, data: new Int16Array(data) };
    case '<i4':
      return { dtype: 'int32', shape, data: new Int32Array(data) };
    default:
      throw badNpy(name, `its dtype ${descr} is not supported`);
  }
}

/** IEEE 754 binary16 bits to a number. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
