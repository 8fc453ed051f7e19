import { type Command, InvalidArgumentError } from 'commander';

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}

export function addDemoDataCommand(program: Command): void {
  program
    .command('demo-data')
    .description('Make a corpus of synthetic clips: drawn faces, synthetic voices and word vectors, no real person.')
    .requiredOption('--out <dir>', 'folder of the corpus; a second run goes on where the first stopped')
    .option(
      '--clips <n>',
      'clips in all sets together: 62 % train, 30 % val, the rest in four test sets',
      wholeNumber,
      400,
    )
    .option('--seed <n>', 'the same seed gives the same clips', wholeNumber, 1234)
    .option('--workers <n>', 'child processes (default: one a processor); the clips do not depend on it', wholeNumber)
    .action(async (options: { out: string; clips: number; seed: number; workers?: number }) => {
      const { makeDemoCorpus } = await import('../demo/data/demo-corpus.js');
      const { out, sets, made, seconds } = await makeDemoCorpus(options);
      const counts = Object.entries(sets).map(([name, clips]) => `${name} ${clips}`);
      process.stdout.write(`${out}: ${counts.join(', ')} clips, ${made} of them made now in ${seconds.toFixed(1)} s\n`);
    });
}
