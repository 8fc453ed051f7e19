import { type Command, Option } from 'commander';
import { SPLITS, type Split } from '../preprocessing/features.js';
import { addEngineFlags, bundleFolder, type EngineFlags, engineOptions } from './engine-flags.js';

export function addEvaluateCommand(program: Command): void {
  addEngineFlags(program.command('evaluate'))
    .description('Measure a bundle on labelled features: the fused answer, each modality, every subset of them.')
    .requiredOption('--features <dir>', 'folder that `mer preprocess` wrote')
    .addOption(new Option('--split <split>', 'which part of it').choices(SPLITS).default('val'))
    .option('--json', 'print everything as JSON')
    .action(async (flags: EngineFlags & { features: string; split: Split; json?: true }) => {
      const [{ evaluate }, { evaluationReport }] = await Promise.all([
        import('../evaluation/evaluate.js'),
        import('../evaluation/report.js'),
      ]);
      const evaluation = await evaluate({
        ...engineOptions(flags),
        featuresDir: flags.features,
        split: flags.split,
        bundleDir: await bundleFolder(flags),
      });
      process.stdout.write(`${flags.json ? JSON.stringify(evaluation, null, 2) : evaluationReport(evaluation)}\n`);
    });
}
