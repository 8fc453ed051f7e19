import { spawn } from 'node:child_process';

export interface Finished {
  /** Exit code; null when the program could not be started or was killed. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end and never rejects: the caller judges the exit code.
 * @param show lets the program write its own progress to our stderr instead of handing its output back
 */
export function execute(
  program: string,
  args: readonly string[],
  { env = process.env, cwd, show = false }: { env?: NodeJS.ProcessEnv; cwd?: string; show?: boolean } = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd, stdio: ['ignore', show ? 2 : 'pipe', 'pipe'] });
    const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    child.stdout?.on('data', (data: Buffer) => output.stdout.push(data));
    child.stderr?.on('data', (data: Buffer) => output.stderr.push(data));
    const text = (name: 'stdout' | 'stderr') => Buffer.concat(output[name]).toString();
    child.once('error', (error) => resolve({ status: null, stdout: '', stderr: error.message }));
    child.once('close', (status) => resolve({ status, stdout: text('stdout'), stderr: text('stderr') }));
  });
}

/** The last line of a program's complaint that says something, for a one-line error. */
export function lastLine(text: string): string {
  return (
    text
      .split('\n')
      .map((line) => line.trim())
      .findLast((line) => line !== '' && !line.startsWith('[notice]')) ?? 'no output'
  );
}
