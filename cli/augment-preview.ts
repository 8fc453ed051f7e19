import { type Command, Option } from 'commander';
import { MODALITIES, type Modality } from '../common/labels.js';
import { wholeNumber } from './flags.js';

interface AugmentPreviewFlags {
  features: string;
  out: string;
  mode?: Modality;
  seed: number;
  clips: number;
}

export function addAugmentPreviewCommand(program: Command): void {
  program
    .command('augment-preview')
    .description('Draw what training sees of some clips, one PNG sheet a modality.')
    .requiredOption('--features <dir>', 'folder that `mer preprocess` wrote')
    .requiredOption('--out <dir>', 'folder of the sheets: speech.png, face.png, text.png')
    .addOption(new Option('--mode <mode>', 'one modality (default: all that there are)').choices(MODALITIES))
    .option('--seed <n>', 'as in training: chooses the clips and drives every random view', wholeNumber(0), 1234)
    .option('--clips <n>', 'clips on a sheet', wholeNumber(1), 4)
    .action(async (flags: AugmentPreviewFlags) => {
      const { augmentPreview } = await import('../training/preview/augment-preview.js');
      for (const file of await augmentPreview(flags)) process.stdout.write(`${file}\n`);
    });
}
