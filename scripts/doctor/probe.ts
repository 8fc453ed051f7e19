import type { z } from 'zod';
import { forkModule } from '../../common/child.js';

/** Loading CUDA for the first time takes tens of seconds; a probe that takes longer hangs. */
const LIMIT_MS = 120_000;

/**
 * Runs a probe module in a process of its own, so that a native library that crashes takes only the probe with it.
 * @param module sends one message and ends
 * @returns its message, or the reason why there is none
 */
export function runProbe<T>(
  module: URL,
  args: readonly string[],
  schema: z.ZodType<T>,
): Promise<{ ok: true; value: T } | { ok: false; reason: string }> {
  return new Promise((resolve) => {
    const child = forkModule(module, args, { silent: true, timeout: LIMIT_MS, killSignal: 'SIGKILL' });
    const errors: Buffer[] = [];
    let message: unknown;
    child.stderr?.on('data', (data: Buffer) => errors.push(data));
    child.stdout?.resume();
    child.on('message', (value) => {
      message = value;
    });
    child.once('error', (error) => resolve({ ok: false, reason: error.message }));
    child.once('close', (code, signal) => {
      const parsed = schema.safeParse(message);
      if (parsed.success) return resolve({ ok: true, value: parsed.data });
      const complaint = Buffer.concat(errors).toString().trim().split('\n').at(-1);
      resolve({ ok: false, reason: signal ? `ended by ${signal}` : complaint || `ended with exit code ${code}` });
    });
  });
}
