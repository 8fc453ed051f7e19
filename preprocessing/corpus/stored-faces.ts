import fs from 'node:fs';
import { MerError } from '../../common/errors.js';
import { decodeNpyLayout } from '../../common/npy.js';
import { CROP_SIZE } from '../features.js';
import { shrinkFrames } from '../model-inputs.js';

/** Face frames that are read when they are taken. */
export interface StoredFaces {
  /** Frames of the clip. */
  length: number;
  /** (indices, size, size, 3): these frames, in this order. */
  take(indices: readonly number[]): Uint8Array;
}

const FRAME_BYTES = CROP_SIZE * CROP_SIZE * 3;
/** Longer than any header that NumPy writes for four axes. */
const HEADER_BYTES = 256;

/**
 * The stored face frames of a clip. Of a clip of compat seed, up to 85 MB, training uses 16 frames: only those are read.
 *
 * @param file video/<stem>.npy, of `frames` frames
 * @param size side that the frames are averaged down to
 * @throws MerError not_found or bad_file, naming the file, here and in `take`
 */
export function storedFaces(file: string, frames: number, size: number): StoredFaces {
  const { descr, shape, dataStart } = withFile(file, (handle) => {
    const header = Buffer.alloc(HEADER_BYTES);
    return decodeNpyLayout(header.subarray(0, fs.readSync(handle, header, 0, HEADER_BYTES, 0)), file);
  });
  const expected = [frames, CROP_SIZE, CROP_SIZE, 3];
  if (descr !== '|u1' || shape.join() !== expected.join()) {
    throw damaged(file, `${descr} of shape (${shape}) instead of bytes of shape (${expected})`);
  }
  return {
    length: frames,
    take(indices) {
      const data = new Uint8Array(indices.length * FRAME_BYTES);
      withFile(file, (handle) => {
        for (const [position, index] of indices.entries()) {
          const read = fs.readSync(handle, data, position * FRAME_BYTES, FRAME_BYTES, dataStart + index * FRAME_BYTES);
          if (read !== FRAME_BYTES) throw damaged(file, 'it is cut short');
        }
      });
      return shrinkFrames(data, indices.length, size);
    },
  };
}

function withFile<T>(file: string, use: (handle: number) => T): T {
  let handle: number;
  try {
    handle = fs.openSync(file, 'r');
  } catch (error) {
    throw new MerError('not_found', `${file} cannot be read.`, 'Run `mer preprocess` again.', { cause: error });
  }
  try {
    return use(handle);
  } finally {
    fs.closeSync(handle);
  }
}

function damaged(file: string, why: string): MerError {
  return new MerError('bad_file', `${file}: ${why}.`, 'Delete it and run `mer preprocess` again.');
}
