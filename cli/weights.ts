import { type Command, Option } from 'commander';
import { type Compat, compatSchema } from '../common/bundle.js';
import { MODES, type Mode } from '../models/spec.js';
import { wholeNumber } from './flags.js';

export function addWeightsCommand(program: Command): void {
  const weights = program
    .command('weights')
    .description('Exchange weights with the PyTorch reference and with efficientnet_pytorch.');
  addImport(weights);
  addExport(weights);
}

interface ImportFlags {
  out: string;
  mode?: Mode;
  text_heads?: number;
  compat: Compat;
}

function addImport(weights: Command): void {
  weights
    .command('import')
    .description('Make a checkpoint of a PyTorch or safetensors file: of one of the four networks, or an EfficientNet.')
    .argument('<file>', '.pth, .pt or .safetensors file; nothing in it is executed')
    .requiredOption('--out <file>', 'checkpoint to write, NAME.safetensors')
    .addOption(new Option('--mode <mode>', 'the branch to take of a multimodal file').choices(MODES))
    .option('--text_heads <n>', 'attention heads of the text network, 8 for 12 layers', wholeNumber(1))
    .addOption(
      new Option('--compat <mode>', 'what the network was trained on; default: to train on from it there')
        .choices(compatSchema.options)
        .default(compatSchema.enum.seed),
    )
    .action(async (file: string, { out, mode, text_heads: textHeads, compat }: ImportFlags) => {
      const { importWeights } = await import('../training/weights/import-weights.js');
      const { spec, network, parameters } = await importWeights({ file, out, mode, textHeads, compat });
      const kind = spec === null ? '' : `${spec.mode} checkpoint, compat ${spec.compat}: `;
      process.stdout.write(`${out}: ${kind}${network}; ${parameters.toLocaleString('en')} parameters\n`);
    });
}

function addExport(weights: Command): void {
  weights
    .command('export')
    .description("Write a checkpoint's weights as the PyTorch reference's state dict (safetensors).")
    .argument('<run>', 'folder of a run, whose best checkpoint is taken, or a checkpoint file')
    .requiredOption('--out <file>', 'safetensors file to write')
    .action(async (run: string, { out }: { out: string }) => {
      const { exportWeights } = await import('../training/weights/export-weights.js');
      const { spec, tensors } = await exportWeights(run, out);
      process.stdout.write(`${out}: ${tensors} tensors of the ${spec.mode} network\n`);
      if (spec.compat === 'default' && (spec.mode === 'text' || spec.mode === 'multimodal')) {
        process.stderr.write(
          'note: this text network attends over words, with positions; the reference attends across the batch, and ' +
            'gives other answers with the same weights\n',
        );
      }
    });
}
