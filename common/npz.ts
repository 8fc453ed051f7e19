import { unzipSync, zipSync } from 'fflate';
import { MerError } from './errors.js';
import { decodeNpy, encodeNpy, type NpyArray } from './npy.js';

/** An archive entry may not claim more than this once unpacked: words of one clip need a few hundred kB. */
const MAX_ENTRY_BYTES = 256 * 2 ** 20;

/** Encodes named arrays as an uncompressed `.npz` archive, as `numpy.savez` does. */
export function encodeNpz(arrays: Record<string, NpyArray>): Uint8Array {
  const entries = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)] as const);
  return zipSync(Object.fromEntries(entries), { level: 0, mtime: '1980-01-01T00:00:00' });
}

/** Reads one array of an `.npz` archive. @throws MerError bad_file, naming `name` and the key */
export function decodeNpzEntry(bytes: Uint8Array, key: string, name: string): NpyArray {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, {
      filter: (entry) => entry.name === `${key}.npy` && entry.originalSize <= MAX_ENTRY_BYTES,
    });
  } catch (error) {
    throw new MerError('bad_file', `${name} is not an .npz archive.`, 'Save it with numpy.savez.', { cause: error });
  }
  const entry = entries[`${key}.npy`];
  if (!entry) throw new MerError('bad_file', `${name} has no key ${key}.`, `Save the array under the key ${key}.`);
  return decodeNpy(entry, `${name}: ${key}`);
}
