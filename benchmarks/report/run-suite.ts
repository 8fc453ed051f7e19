import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../../common/paths.js';
import { describeMachine, MAX_OTHERS_SHARE, watchOthers } from '../machine.js';
import type { SuiteName, SuiteOutcome, SuiteReport } from './schema.js';

/**
 * Runs a suite and notes what is needed to judge and to repeat it: command, time, commit, machine, and what else the
 * machine did meanwhile.
 *
 * @param command as a user would type it, such as `mer bench infer --repeats 50`
 */
export async function runSuite(
  suite: SuiteName,
  command: string,
  measure: () => Promise<SuiteOutcome>,
): Promise<SuiteReport> {
  const date = new Date().toISOString();
  const start = performance.now();
  const others = watchOthers();
  const outcome = await measure();
  const share = others();
  return {
    format: 1,
    suite,
    command,
    date,
    commit: await currentCommit(),
    machine: {
      ...describeMachine(),
      system: `${os.type()} ${os.release()} ${os.arch()}`,
      memoryGb: Math.round(os.totalmem() / 2 ** 30),
    },
    others: share,
    seconds: (performance.now() - start) / 1000,
    ...(share !== null && share > MAX_OTHERS_SHARE ? withoutRatios(outcome, share) : outcome),
  };
}

/** What a rival loses to others is no merit of ours. */
function withoutRatios(outcome: SuiteOutcome, share: number): SuiteOutcome {
  if (outcome.figures.every(({ rival }) => rival === undefined)) return outcome;
  const figures = outcome.figures.map((figure) => (figure.rival === undefined ? figure : { ...figure, ratio: null }));
  const note = `No ratio is claimed: others took ${Math.round(100 * share)} % of the cores meanwhile.`;
  return { ...outcome, figures, notes: [note, ...outcome.notes] };
}

async function currentCommit(): Promise<string | null> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', ['-C', PROJECT_ROOT, ...args])).stdout.trim();
  try {
    // The results themselves do not count: they are written while the suites run.
    const code = ['--', ':/', ':(top,exclude)benchmarks/results'];
    const changed = (await git('status', '--porcelain', '--untracked-files=no', ...code)) !== '';
    return `${await git('rev-parse', '--short=10', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return null;
  }
}
