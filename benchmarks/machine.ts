import fs from 'node:fs';
import os from 'node:os';
import { z } from 'zod';
import { processTree } from './process-tree.js';

export const machineSchema = z.object({ cpu: z.string(), cores: z.number().int(), node: z.string() });
export type Machine = z.infer<typeof machineSchema>;

export function describeMachine(): Machine {
  return { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.availableParallelism(), node: process.version };
}

/** With a larger share of the machine taken by others the times mean nothing. */
export const MAX_OTHERS_SHARE = 0.05;

/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/**
 * Begins to watch what the rest of the machine does.
 *
 * @returns a function that gives the share of all cores that other processes (and other virtual machines) took since;
 *   null where the system does not say (it reads Linux's /proc)
 */
export function watchOthers(): () => number | null {
  const start = busySeconds();
  const since = performance.now();
  return () => {
    const end = busySeconds();
    if (!start || !end) return null;
    const others = end.all - start.all - (end.own - start.own);
    return Math.max(0, others) / (((performance.now() - since) / 1000) * os.cpus().length);
  };
}

/** Seconds of processor time since the start of the machine, and of this process with all its descendants. */
function busySeconds(): { all: number; own: number } | null {
  try {
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = fs
      .readFileSync('/proc/stat', 'utf8')
      .split('\n')[0]!
      .split(/\s+/)
      .map(Number);
    const own = processTree(process.pid).reduce((sum, { ticks }) => sum + ticks, 0);
    return { all: (user + nice + system + irq + softIrq + steal) / TICKS_PER_SECOND, own: own / TICKS_PER_SECOND };
  } catch {
    return null;
  }
}
