import type { Command } from 'commander';
import { PROJECT_ROOT } from '../common/paths.js';
import { wholeNumber } from './flags.js';

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('The whole story on synthetic clips: make, preprocess, train four networks, export, serve, answer.')
    .option('--clip <file>', 'a clip of your own to be answered at the end')
    .option('--clips <n>', 'size of the demo corpus', wholeNumber(40), 400)
    .option('--seed <n>', 'drives every random choice', wholeNumber(0), 1234)
    .action(async (options: { clip?: string; clips: number; seed: number }) => {
      const { runDemo } = await import('../demo/run-demo.js');
      await runDemo({ ...options, root: PROJECT_ROOT });
    });
}
