import fs from 'node:fs';

/** One process as Linux's /proc describes it. */
export interface ProcessState {
  pid: number;
  parent: number;
  name: string;
  /** Processor time of it and of its children that have ended, in hundredths of a second. */
  ticks: number;
}

/** A process and all its descendants, the process itself first; empty when it has gone. */
export function processTree(root: number): ProcessState[] {
  const all = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readState(Number(name)) ?? []);
  const tree = all.filter(({ pid }) => pid === root);
  for (let i = 0; i < tree.length; i++) tree.push(...all.filter(({ parent }) => parent === tree[i]!.pid));
  return tree;
}

function readState(pid: number): ProcessState | null {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may itself hold spaces and parentheses.
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    return { pid, parent: Number(fields[1]), name: text.slice(text.indexOf('(') + 1, end), ticks };
  } catch {
    return null;
  }
}

/** Milliseconds between two looks at the memory: a decoder lives for at least fifty. */
const LOOK_INTERVAL = 10;

/**
 * Watches the memory of a process and its descendants while `work` runs.
 *
 * @returns the peak in bytes: the most that the process itself has ever held (VmHWM), and the greatest sum of what
 *   its descendants had held at their own peaks while they lived at the same time; null where /proc does not say
 */
export async function peakMemory(root: number, work: () => Promise<unknown>): Promise<number | null> {
  let own: number | null = null;
  let descendants = 0;
  const look = () => {
    const [self, ...others] = processTree(root);
    if (!self) return;
    own = readPeak(root) ?? own;
    // A child that has not yet become its program still shows its parent's memory, which it shares.
    const command = readCommand(root);
    const programs = others.filter(({ pid }) => readCommand(pid) !== command);
    descendants = Math.max(
      descendants,
      programs.reduce((sum, { pid }) => sum + (readPeak(pid) ?? 0), 0),
    );
  };
  const timer = setInterval(look, LOOK_INTERVAL);
  try {
    await work();
    look();
  } finally {
    clearInterval(timer);
  }
  return own === null ? null : own + descendants;
}

function readPeak(pid: number): number | null {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}

/** The command line that a process was started with; null when it has gone. */
function readCommand(pid: number): string | null {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return null;
  }
}
