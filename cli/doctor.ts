import type { Command } from 'commander';

/** `mer doctor`: what is installed and really works. Exits with 1 only when a part is there and fails. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Show what is installed and really works, and how to install what is absent.')
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { examine, formatParts } = await import('../scripts/doctor/doctor.js');
      const parts = await examine();
      process.stdout.write(json ? `${JSON.stringify({ parts }, null, 2)}\n` : formatParts(parts));
      if (parts.some(({ status }) => status === 'broken')) process.exitCode = 1;
    });
}
