import os from 'node:os';
import type { Command } from 'commander';
import { MerError } from '../common/errors.js';
import { addDeviceFlags, bundleFolder, type DeviceFlags, engineOptions } from './engine-flags.js';
import { wholeNumber } from './flags.js';
import { interruptible } from './interruptible.js';
import { addWordFlags, type WordFlags, wordTableOption } from './word-flags.js';

interface SubmitFlags extends DeviceFlags, WordFlags {
  test1?: string;
  test2?: string;
  test3?: string;
  list1?: string;
  list2?: string;
  list3?: string;
  features?: string;
  bundle?: string[];
  workers: number;
  out: string;
}

export function addSubmitCommand(program: Command): void {
  addWordFlags(addDeviceFlags(program.command('submit')))
    .description(
      'Answer the clips of the test sets and write a submission (FileID,Emotion) for each. Exits with 1 when none was answered. Goes on where an earlier run stopped.',
    )
    .option('--test1 <dir>', 'folder of the clips of test 1')
    .option('--test2 <dir>', 'folder of the clips of test 2')
    .option('--test3 <dir>', 'folder of the clips of test 3')
    .option('--features <dir>', 'features that `mer preprocess` made of merc2020/test1..3, instead of clips')
    .option('--list1 <file>', 'CSV file with a column FileID: the clips of test 1, and their order in the submission')
    .option('--list2 <file>', 'the same of test 2')
    .option('--list3 <file>', 'the same of test 3')
    .option('--bundle <dirs...>', 'folder of the bundle; several are an ensemble (default: the newest under bundles/)')
    .option('--workers <n>', 'preprocessing processes', wholeNumber(1), os.availableParallelism())
    .requiredOption('--out <dir>', 'folder for test<N>_submission.csv, scores.csv, failures.csv and the summary')
    .action(submit);
}

async function submit(flags: SubmitFlags): Promise<void> {
  const { test1, test2, test3, list1, list2, list3, features, bundle, workers, out } = flags;
  const hasTests = (test1 ?? test2 ?? test3) !== undefined;
  if (hasTests === (features !== undefined)) {
    const message = hasTests ? 'Clips and features are both named.' : 'No test set is named.';
    throw new MerError('bad_argument', message, 'Give --test1, --test2 or --test3, or --features for all of them.');
  }
  const [{ submit }, { formatSubmission }] = await Promise.all([
    import('../evaluation/submit.js'),
    import('../evaluation/submission-files.js'),
  ]);
  const bundleDirs = bundle ?? [await bundleFolder({})];
  const summary = await interruptible('Finishing the clip at work', (signal) =>
    submit({
      ...engineOptions(flags),
      ...wordTableOption(flags),
      ...(features === undefined
        ? { tests: { ...(test1 && { test1 }), ...(test2 && { test2 }), ...(test3 && { test3 }) } }
        : { featuresDir: features }),
      lists: { ...(list1 && { test1: list1 }), ...(list2 && { test2: list2 }), ...(list3 && { test3: list3 }) },
      ...{ bundleDirs, outDir: out, workers, signal },
    }),
  );
  process.stdout.write(`${formatSubmission(summary)}\nWritten to ${out}\n`);
  if (summary.tests.every(({ clips, failed }) => failed === clips)) process.exitCode = 1;
}
