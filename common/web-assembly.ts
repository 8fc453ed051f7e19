import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { MerError } from './errors.js';
import { PROJECT_ROOT } from './paths.js';

const PAGE_BYTES = 2 ** 16;

/** A function of a module: numbers only, addresses are bytes of its memory. */
export const moduleFunction = z.custom<(...values: number[]) => void>((value) => typeof value === 'function');
export const moduleMemory = z.instanceof(WebAssembly.Memory);

const compiled = new Map<string, WebAssembly.Module>();

/**
 * A new instance of a module that `npm run build` compiles from AssemblyScript, with a memory of its own.
 *
 * @param name path of the file below dist/
 * @throws MerError missing_part when it is not there
 */
export function instantiate<T>(name: string, exports: z.ZodType<T>): T {
  let module = compiled.get(name);
  if (!module) {
    const file = path.join(PROJECT_ROOT, 'dist', name);
    if (!fs.existsSync(file)) throw new MerError('missing_part', `${file} is missing.`, 'Run `npm run build`.');
    module = new WebAssembly.Module(fs.readFileSync(file));
    compiled.set(name, module);
  }
  return exports.parse(new WebAssembly.Instance(module).exports);
}

/** Lets a memory grow to at least so many bytes. Views of it, made before, end when it does. */
export function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}
