import path from 'node:path';
import { type Command, Option } from 'commander';
import { GROUPINGS, type Grouping } from '../evaluation/groups.js';
import { SPLITS, type Split } from '../preprocessing/features.js';
import { addEngineFlags, bundleFolder, type EngineFlags, engineOptions } from './engine-flags.js';
import { wholeNumber } from './flags.js';

interface EvaluateFlags extends EngineFlags {
  features: string;
  split: Split;
  by?: Grouping;
  seed: number;
  out?: string;
  json?: true;
}

export function addEvaluateCommand(program: Command): void {
  addEngineFlags(program.command('evaluate'))
    .description('Measure a bundle on labelled features: the fused answer, each modality, every subset of them.')
    .requiredOption('--features <dir>', 'folder that `mer preprocess` wrote')
    .addOption(new Option('--split <split>', 'which part of it').choices(SPLITS).default('val'))
    .addOption(new Option('--by <what>', 'also measure the fused answer over parts of the clips').choices(GROUPINGS))
    .option('--seed <n>', 'of the bootstrap intervals', wholeNumber(0), 1234)
    .option('--out <dir>', 'write evaluation.json, evaluation.txt and the pictures as SVG')
    .option('--json', 'print everything as JSON')
    .action(async (flags: EvaluateFlags) => {
      const [{ evaluate }, { evaluationPlots, evaluationReport }, { writeFileAtomic, writeJsonAtomic }] =
        await Promise.all([
          import('../evaluation/evaluate.js'),
          import('../evaluation/report.js'),
          import('../common/files.js'),
        ]);
      const { features: featuresDir, split, by, seed, out } = flags;
      const evaluation = await evaluate({
        ...engineOptions(flags),
        ...{ featuresDir, split, seed },
        ...(by && { by }),
        bundleDir: await bundleFolder(flags),
      });
      const text = `${evaluationReport(evaluation)}\n`;
      if (out !== undefined) {
        await writeJsonAtomic(path.join(out, 'evaluation.json'), evaluation);
        const files = { 'evaluation.txt': text, ...evaluationPlots(evaluation) };
        for (const [name, content] of Object.entries(files)) await writeFileAtomic(path.join(out, name), content);
      }
      process.stdout.write(flags.json ? `${JSON.stringify(evaluation, null, 2)}\n` : text);
    });
}
