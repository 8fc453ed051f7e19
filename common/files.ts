import crypto from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { MerError } from './errors.js';

/**
 * Writes a file whole or not at all: temporary file in the same folder, then rename. Makes the folder.
 *
 * @param options with `durable` it is on the disk, and not only in the system's memory, when the promise resolves
 */
export async function writeFileAtomic(
  file: string,
  data: string | Uint8Array,
  { durable = false }: { durable?: boolean } = {},
): Promise<void> {
  const folder = path.dirname(file);
  await fsp.mkdir(folder, { recursive: true });
  const temporary = `${file}.${process.pid}.${crypto.randomBytes(4).toString('hex')}.tmp`;
  try {
    await fsp.writeFile(temporary, data, { flush: durable });
    await fsp.rename(temporary, file);
    if (durable) await syncToDisk(folder);
  } catch (error) {
    await fsp.rm(temporary, { force: true });
    throw error;
  }
}

export async function writeJsonAtomic(file: string, value: unknown, options?: { durable?: boolean }): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`, options);
}

/** Brings a file, or the names in a folder, from the system's memory to the disk. */
export async function syncToDisk(place: string): Promise<void> {
  const handle = await fsp.open(place);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Reads and validates a JSON file. @throws MerError bad_file naming the file and the first wrong field. */
export async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  let text: string;
  try {
    text = await fsp.readFile(file, 'utf8');
  } catch (error) {
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MerError('bad_file', `${file} is not JSON.`, 'Make it again with the command that wrote it.', {
      cause: error,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new MerError(
    'bad_file',
    `${file}: field ${issue?.path.join('.') || '(root)'}: ${issue?.message}.`,
    'Make it again with the command that wrote it.',
  );
}

/** Hexadecimal sha256 of a file, read as a stream. */
export async function sha256File(file: string): Promise<string> {
  const hash = crypto.createHash('sha256');
  for await (const chunk of fs.createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
