import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NO_TELEMETRY } from './telemetry.js';

export interface ForkModuleOptions extends Omit<ForkOptions, 'execArgv'> {
  /** Flags of Node itself. */
  nodeFlags?: readonly string[];
}

/**
 * Flags of Node for children whose large data are buffers outside of V8's heap. V8 would let the heap of short-lived
 * objects grow by 15 MB before it tidies up; and it counts the buffers as growth of its heap, so that it would go through
 * all of a small heap each time that some 10 MB of them have come: in preprocessing several times a clip.
 */
export const HEAP_FOR_BUFFERS: readonly string[] = ['--max-semi-space-size=2', '--heap-growing-percent=300'];

/**
 * Forks a module of this project as a child process. Works from the TypeScript sources (tests, through tsx)
 * and from dist/ alike: name the module as `new URL('./worker.js', import.meta.url)`.
 */
export function forkModule(
  module: URL,
  args: readonly string[] = [],
  { nodeFlags = [], ...options }: ForkModuleOptions = {},
): ChildProcess {
  const file = fileURLToPath(module);
  const fromSource = import.meta.url.endsWith('.ts');
  return fork(fromSource ? file.replace(/\.js$/, '.ts') : file, args, {
    serialization: 'advanced',
    ...options,
    execArgv: [...(fromSource ? ['--import', 'tsx'] : []), ...nodeFlags],
    env: { ...(options.env ?? process.env), ...NO_TELEMETRY },
  });
}

/** Whether a process of this identifier lives, of whichever user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * When a process started, in words that no other process with its identifier shares, before or after a reboot; empty
 * where the system does not say (it reads Linux's /proc).
 */
export function processStart(pid: number): string {
  try {
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may itself hold spaces; the 20th field behind it is the start.
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return '';
  }
}
