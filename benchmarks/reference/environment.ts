import { spawn } from 'node:child_process';
import path from 'node:path';
import { MerError } from '../../common/errors.js';
import { PROJECT_ROOT, SETUP_DIR } from '../../common/paths.js';
import { lockSetup } from '../../scripts/setup/lock.js';
import { runSteps } from '../../scripts/setup/step.js';
import { referenceEnvironmentStep } from '../../scripts/setup/venv.js';

const PYTHON = path.join(SETUP_DIR, 'reference-venv', 'bin', 'python');

/** Freed memory stays with the process: without this PyTorch's allocations cost it up to half of its time. */
export const TUNED_MALLOC = { MALLOC_MMAP_THRESHOLD_: '4294967296', MALLOC_TRIM_THRESHOLD_: '17179869184' };

/**
 * Makes the environment of the PyTorch reference where it is not there yet: some minutes, 6 GB under `.mer/`.
 * @throws MerError missing_part
 */
export async function ensureReferenceEnvironment(): Promise<void> {
  const print = (line: string) => process.stderr.write(`${line}\n`);
  if (!(await referenceEnvironmentStep.isDone())) print('Installing the PyTorch reference (some minutes, 6 GB) …');
  await runSteps([referenceEnvironmentStep], { print, lock: lockSetup, quiet: true });
}

/**
 * Starts a script of benchmarks/reference/ in the reference's environment, with its allocator tuned and its libraries
 * bounded to `threads`. Its stderr is passed on; it ends when its standard input is closed.
 */
export function spawnReference(script: string, args: readonly string[], threads: number) {
  const file = path.join(PROJECT_ROOT, 'benchmarks', 'reference', script);
  const bounds = { OMP_NUM_THREADS: `${threads}`, MKL_NUM_THREADS: `${threads}` };
  return spawn(PYTHON, [file, ...args], {
    env: { ...process.env, ...TUNED_MALLOC, ...bounds },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/**
 * Runs a script of benchmarks/reference/ to its end, as {@link spawnReference} starts it.
 *
 * @returns what it printed to stdout
 * @throws MerError internal when it fails
 */
export function runReference(script: string, args: readonly string[], threads: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawnReference(script, args, threads);
    child.stdin.end();
    const output: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output).toString());
      else reject(referenceFailed(script, code, signal));
    });
  });
}

/** The script's own message has gone to stderr before. */
export function referenceFailed(script: string, code: number | null, signal: string | null): MerError {
  const how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`;
  return new MerError('internal', `The reference script ${script} ${how}.`, 'Its own message stands above.');
}
