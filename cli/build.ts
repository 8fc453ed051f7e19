import path from 'node:path';
import { type Command, Option } from 'commander';
import { formatTable } from '../common/table.js';
import type { BuildResult } from '../pipeline/build.js';
import { PRESETS, type Preset } from '../pipeline/presets.js';
import { wholeNumber } from './flags.js';
import { CORPUS_FORMATS, folderOf, share } from './preprocess.js';
import { addWordFlags, type WordFlags } from './word-flags.js';

interface BuildFlags extends WordFlags {
  corpus: string;
  out: string;
  work?: string;
  preset: Preset;
  n_epoch?: number;
  seed: number;
  format?: string;
  split?: string;
  val_share?: number;
  speech_backbone_weights?: string;
  face_backbone_weights?: string;
}

const AFTER = `
quick: small networks that learn from nothing in minutes on two cores. full: the reference's networks and epochs
(EfficientNet-b4 for the voice, b0 for the face, 12 text layers): hours to days, for thousands of clips and a GPU.

What an interrupted or killed build has done is kept: run the same command again and it goes on.`;

export function addBuildCommand(program: Command): void {
  const command = program
    .command('build')
    .description('The whole way from your own clips to a bundle: preprocess, train, export. Goes on where it stopped.')
    .requiredOption('--corpus <dir>', 'folder of the corpus, or the file of a manifest')
    .requiredOption('--out <dir>', 'folder of the bundle')
    .option('--work <dir>', 'features, runs and log (default: build/ in the corpus folder)')
    .addOption(new Option('--preset <size>', 'size of networks and trainings').choices(PRESETS).default('quick'))
    .option('--n_epoch <n>', "epochs of each training (default: the preset's)", wholeNumber(1))
    .option('--seed <n>', 'drives every random choice', wholeNumber(0), 1234)
    .addOption(new Option('--format <name>', 'as in `mer preprocess` (default: auto)').choices(CORPUS_FORMATS))
    .addOption(
      new Option('--split <mode>', 'as in `mer preprocess` (default: given, else speaker)').choices([
        ...['given', 'speaker', 'random'],
      ]),
    )
    .option('--val_share <share>', 'share of the clips for validation where the corpus does not say', share);
  addWordFlags(command)
    .option('--speech_backbone_weights <file>', 'efficientnet-b4 file (ImageNet) for the speech network of preset full')
    .option('--face_backbone_weights <file>', 'efficientnet-b0 file (ImageNet) for the face network of preset full')
    .addHelpText('after', AFTER)
    .action(async (flags: BuildFlags) => {
      const { build } = await import('../pipeline/build.js');
      const work = flags.work ?? path.join(folderOf(flags.corpus), 'build');
      process.stderr.write(`work files: ${work}\n`);
      const { corpus, out, preset, seed, n_epoch: epochs } = flags;
      const backbones = { speech: flags.speech_backbone_weights, face: flags.face_backbone_weights };
      const result = await build({ corpus, out, work, preset, seed, epochs, backbones, preprocess: passedOn(flags) });
      process.stdout.write(`${report(result, out)}\n`);
    });
}

/** The flags that `mer preprocess` is given as they are. */
function passedOn(flags: BuildFlags): string[] {
  const table = flags.word_vectors === undefined ? [] : (['word_vectors', 'max_oov'] as const);
  const names = ['format', 'split', 'val_share', ...table] as const;
  return names.flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, String(flags[name])]));
}

function report({ networks, seconds }: BuildResult, out: string): string {
  const rows = networks.map(({ mode, epoch, metrics: { inte } }) => [
    mode,
    String(epoch),
    String(inte!.clips),
    inte!.accuracy.toFixed(3),
    inte!.macroF1.toFixed(3),
  ]);
  return [
    formatTable(['network', 'best epoch', 'validation clips', 'accuracy', 'macro F1'], rows),
    `(chance is 0.143 with seven classes; all in ${seconds.toFixed(0)} s)`,
    `The bundle is ${out}; what it is worth stands in ${path.join(out, 'MODEL_CARD.md')}. Next:`,
    `  npx mer predict --bundle ${out} CLIP.mp4`,
    `  npx mer serve --bundle ${out}`,
  ].join('\n');
}
