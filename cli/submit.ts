import type { Command } from 'commander';
import { MerError } from '../common/errors.js';
import { addEngineFlags, bundleFolder, type EngineFlags, engineOptions } from './engine-flags.js';
import { addWordFlags, type WordFlags, wordTableOption } from './word-flags.js';

interface SubmitFlags extends EngineFlags, WordFlags {
  test1?: string;
  test2?: string;
  test3?: string;
  out: string;
}

export function addSubmitCommand(program: Command): void {
  addWordFlags(addEngineFlags(program.command('submit')))
    .description(
      'Answer the clips of the test sets and write a submission (FileID,Emotion) for each. Exits with 1 when none was answered.',
    )
    .option('--test1 <dir>', 'folder of the clips of test 1')
    .option('--test2 <dir>', 'folder of the clips of test 2')
    .option('--test3 <dir>', 'folder of the clips of test 3')
    .requiredOption('--out <dir>', 'folder for test<N>_submission.csv and failures.csv')
    .action(async (flags: SubmitFlags) => {
      const { test1, test2, test3, out } = flags;
      if ((test1 ?? test2 ?? test3) === undefined) {
        throw new MerError('bad_argument', 'No test set is named.', 'Give --test1, --test2 or --test3.');
      }
      const { submit } = await import('../evaluation/submit.js');
      const { submissions, failures, failuresFile } = await submit({
        ...engineOptions(flags),
        ...wordTableOption(flags),
        tests: { ...(test1 && { test1 }), ...(test2 && { test2 }), ...(test3 && { test3 }) },
        bundleDir: await bundleFolder(flags),
        outDir: out,
      });
      if (failures.length === submissions.reduce((sum, { clips }) => sum + clips, 0)) process.exitCode = 1;
      for (const { file, clips } of submissions) process.stdout.write(`${file}: ${clips} clips\n`);
      process.stdout.write(
        failures.length === 0
          ? 'All clips were answered.\n'
          : `${failures.length} clips could not be answered and stand as neu; the reasons are in ${failuresFile}.\n`,
      );
    });
}
