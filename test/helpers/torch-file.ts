import { type Zippable, zipSync } from 'fflate';
import type { StateDict } from '../../common/safetensors.js';

/** The float32 tensors of a state dict as a file of `torch.save`, in the format of PyTorch 1.6 and later. */
export function torchFile(state: StateDict): Uint8Array {
  const entries: Zippable = { 'archive/version': Buffer.from('3\n') };
  const pickle: Buffer[] = [Buffer.from('\x80\x02ccollections\nOrderedDict\n)R(', 'latin1')];
  for (const [index, [name, { shape, data }]] of [...state].entries()) {
    if (!(data instanceof Float32Array)) throw new TypeError(`${name} is not float32`);
    const storage = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    entries[`archive/data/${index}`] = storage;
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    pickle.push(
      text(name),
      Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n((', 'latin1'),
      text('storage'),
      Buffer.from('ctorch\nFloatStorage\n', 'latin1'),
      text(String(index)),
      text('cpu'),
      integer(data.length),
      Buffer.from('tQK\0', 'latin1'),
      tuple(shape),
      tuple(strides),
      Buffer.from('\x89ccollections\nOrderedDict\n)RtR', 'latin1'),
    );
  }
  pickle.push(Buffer.from('u.'));
  entries['archive/data.pkl'] = Buffer.concat(pickle);
  return zipSync(entries, { level: 0 });
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from('X'), length, bytes]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5, 'J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function tuple(values: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from('('), ...values.map(integer), Buffer.from('t')]);
}
