import os from 'node:os';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { compatSchema } from '../common/bundle.js';
import type { CorpusSummary } from '../preprocessing/corpus/corpus.js';
import { MAX_FRAMES } from '../preprocessing/features.js';
import { wholeNumber } from './flags.js';

interface PreprocessFlags {
  corpus: string;
  features?: string;
  max_frames: number;
  workers: number;
  compat: string;
}

export function addPreprocessCommand(program: Command): void {
  program
    .command('preprocess')
    .description('Turn a corpus of clips into features for training. Goes on where an earlier run stopped.')
    .requiredOption('--corpus <dir>', 'folder with qia2020/{train,val,test} and/or merc2020/{test1,test2,test3}')
    .option('--features <dir>', 'where the features go (default: features/ in the corpus folder)')
    .option('--max_frames <n>', 'face frames kept of each clip, at most', wholeNumber(1), MAX_FRAMES)
    .option('--workers <n>', 'child processes', wholeNumber(1), os.availableParallelism())
    .addOption(new Option('--compat <mode>', 'feature mode').choices(compatSchema.options).default('default'))
    .action(async (flags: PreprocessFlags) => {
      const { preprocessCorpus, FAILURES_FILE } = await import('../preprocessing/corpus/corpus.js');
      const featuresDir = flags.features ?? path.join(flags.corpus, 'features');
      const controller = new AbortController();
      const interrupt = () => {
        if (controller.signal.aborted) process.exit(130);
        process.stderr.write('\nFinishing the clips at work; press Ctrl-C again to leave at once.\n');
        controller.abort();
      };
      process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
      try {
        const summary = await preprocessCorpus({
          corpusDir: flags.corpus,
          featuresDir,
          compat: compatSchema.parse(flags.compat),
          maxFrames: flags.max_frames,
          workers: flags.workers,
          signal: controller.signal,
        });
        printSummary(summary, path.join(featuresDir, FAILURES_FILE));
        if ([...summary.splits.values()].every(({ clips, failed }) => failed === clips)) process.exitCode = 1;
      } finally {
        process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      }
    });
}

/** Failures and warnings beyond so many are only counted. */
const SHOWN = 20;

function printSummary({ splits, failures, warnings }: CorpusSummary, failuresFile: string): void {
  const rows = [['split', 'clips', 'failed', 'reused', 'speech', 'face', 'text', 'minutes']];
  for (const [split, { clips, failed, reused, used, seconds }] of splits) {
    const counts = [clips, failed, reused, used.speech, used.face, used.text].map(String);
    rows.push([split, ...counts, (seconds / 60).toFixed(1)]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
    process.stdout.write(`${cells.join('  ')}\n`);
  }
  for (const { clip, message } of warnings.slice(0, SHOWN)) process.stdout.write(`warning: ${clip}: ${message}\n`);
  if (warnings.length > SHOWN) process.stdout.write(`… and ${warnings.length - SHOWN} more warnings\n`);
  for (const { clip, message } of failures.slice(0, SHOWN)) process.stdout.write(`failed: ${clip}: ${message}\n`);
  if (failures.length > SHOWN) process.stdout.write(`… and ${failures.length - SHOWN} more failures\n`);
  if (failures.length > 0) process.stdout.write(`All failures with their remedies are in ${failuresFile}.\n`);
}
