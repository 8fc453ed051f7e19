import type { Command } from 'commander';
import type { PlannedSuite } from '../benchmarks/report/plan.js';

interface Flags {
  out: string;
  compare?: string;
}

type Ending = 'done' | 'failed' | 'left out: there is no NVIDIA GPU';

export function addBenchAllCommand(bench: Command): void {
  bench
    .command('all')
    .description(
      'Every suite, each in a process of its own: about half an hour. A suite that fails does not stop the others. Exits with 1 when one failed or found a regression.',
    )
    .requiredOption('--out <dir>', 'folder for SUITE.json, the charts and report.md')
    .option('--compare <dir>', 'an older such folder: show changes and regressions')
    .action(async ({ out, compare }: Flags) => {
      const { PLAN } = await import('../benchmarks/report/plan.js');
      const endings: string[] = [];
      for (const planned of PLAN) {
        process.stderr.write(`== ${planned.suite}, about ${planned.minutes} minutes\n`);
        const start = performance.now();
        const ending = await runPlanned(planned, [
          '--out',
          out,
          ...(compare === undefined ? [] : ['--compare', compare]),
        ]);
        endings.push(`${planned.suite}: ${ending}, ${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
        if (ending === 'failed') process.exitCode = 1;
      }
      process.stdout.write(`\n${endings.join('\n')}\n${out}/report.md shows all of them.\n`);
    });
}

async function runPlanned({ suite, flags }: PlannedSuite, report: readonly string[]): Promise<Ending> {
  if (suite === 'gpu' && !(await hasGpu())) return 'left out: there is no NVIDIA GPU';
  const code = await runProcess(process.execPath, [
    ...process.execArgv,
    process.argv[1]!,
    ...['bench', suite, ...flags, ...report],
  ]);
  return code === 0 ? 'done' : 'failed';
}

async function hasGpu(): Promise<boolean> {
  return (await runProcess('nvidia-smi', ['-L']).catch(() => 1)) === 0;
}

/** Runs a program whose output is this one's. @returns its exit code; 1 when a signal ended it */
async function runProcess(program: string, args: readonly string[]): Promise<number> {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
