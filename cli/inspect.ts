import type { Command } from 'commander';
import { readBundle } from '../common/bundle-files.js';

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('Show what a bundle consists of: files, inputs, outputs, operators, parameters, MACs, accuracy.')
    .argument('<bundle>', 'folder of the bundle')
    .option('--json', 'print bundle.json as it is understood, defaults filled in')
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const { describeBundleText } = await import('../export/inspect.js');
      const bundle = await readBundle(directory);
      process.stdout.write(`${json ? JSON.stringify(bundle, null, 2) : describeBundleText(bundle)}\n`);
    });
}
