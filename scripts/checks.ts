import { spawn } from 'node:child_process';
import path from 'node:path';
import { PROJECT_ROOT } from '../common/paths.js';

/**
 * What `npm test` runs: linter, type check and all tests, and sets the exit code of the first that fails.
 * @param args handed to vitest, such as the name of a test file
 */
export async function runChecks(args: readonly string[]): Promise<void> {
  const checks = [
    ['npm', 'run', '--silent', 'lint'],
    ['npm', 'run', '--silent', 'typecheck'],
    [process.execPath, path.join(PROJECT_ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args],
  ] as const;
  for (const [program, ...rest] of checks) {
    const status = await new Promise<number>((resolve, reject) => {
      const child = spawn(program, rest, { cwd: PROJECT_ROOT, stdio: 'inherit' });
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
    if (status !== 0) {
      process.exitCode = status;
      return;
    }
  }
}
