import type { Command } from 'commander';
import { MerError } from '../common/errors.js';
import { formatTable } from '../common/table.js';

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('Check the files of a bundle, and that its networks answer here as they did at export.')
    .argument('<bundle>', 'folder of the bundle')
    .action(async (directory: string) => {
      const { verify } = await import('../export/verify.js');
      const { bundle, checks } = await verify(directory);
      const rows = checks.map(({ file, kind, passed, found }) => [file, kind, passed ? 'ok' : 'FAILED', found]);
      process.stdout.write(`${formatTable(['file', 'check', 'result', 'found'], rows)}\n`);
      const failed = checks.filter(({ passed }) => !passed);
      if (failed.length > 0) {
        const names = [...new Set(failed.map(({ file }) => file))].join(', ');
        const message = `${directory}: ${names} ${failed.length === 1 ? 'is' : 'are'} not as exported.`;
        throw new MerError('bad_file', message, 'Copy the bundle again, or export it again.');
      }
      const rest = bundle.selfTest ? '' : '; it holds no self-test: export it again to have one';
      process.stdout.write(`${bundle.name} ${bundle.version} is whole${rest}\n`);
    });
}
