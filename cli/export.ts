import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Precision, precisionSchema } from '../common/bundle.js';
import { MODALITIES, type Modality } from '../common/labels.js';
import { describeVariant } from '../export/describe-variant.js';
import { MODES, type Mode } from '../models/spec.js';

type ExportFlags = {
  run?: string;
  out: string;
  name?: string;
  without?: Modality[];
  single_file?: boolean;
  features?: string;
  precision: Precision;
  force?: boolean;
} & Partial<Record<`${Mode}_weights`, string>>;

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('Freeze a run to ONNX: a bundle that serves without Python or TensorFlow.')
    .option('--run <dir>', 'folder of the run, logs/MODE/NAME (its best checkpoint), or a checkpoint file')
    .option('--multimodal_weights <file>', 'instead of --run: run or checkpoint of the whole network')
    .option('--speech_weights <file>', 'run or checkpoint that takes the place of the speech branch')
    .option('--face_weights <file>', 'run or checkpoint that takes the place of the face branch')
    .option('--text_weights <file>', 'run or checkpoint that takes the place of the text branch')
    .requiredOption('--out <dir>', 'folder of the bundle; a bundle that lies there is replaced')
    .option('--name <name>', 'what the bundle calls itself (default: the name of its folder)')
    .option('--without <modalities>', 'branches to leave out, such as text or face,text', modalityList)
    .option('--single-file, --single_file', 'also write branches and fusion as one graph, single.onnx')
    .addOption(
      new Option('--precision <type>', 'of weights and arithmetic; fp16 is for GPUs, int8 for CPUs')
        .choices(precisionSchema.options)
        .default(precisionSchema.enum.fp32),
    )
    .option('--force', 'take fp16 or int8 though too many validation clips get another emotion, or none are there')
    .option(
      '--features <dir>',
      'features whose validation clips it is calibrated and measured on (default: those that the run names)',
    )
    .action(async ({ single_file: single, ...flags }: ExportFlags) => {
      // The gate compares on the CPU: a GPU may round matrix products to TF32. TensorFlow reads this when it is loaded.
      process.env.CUDA_VISIBLE_DEVICES = '';
      const { exportBundle } = await import('../export/bundle.js');
      const weights = Object.fromEntries(MODES.map((mode) => [mode, flags[`${mode}_weights`]]));
      const { name, version, parity, variant } = await exportBundle({ ...flags, weights, single });
      process.stdout.write(
        `${flags.out}: bundle ${name} ${version}; ONNX Runtime equals TensorFlow within ${parity.maxError.toExponential(1)}\n`,
      );
      if (variant) process.stdout.write(`${flags.precision} against fp32: ${describeVariant(variant)}\n`);
    });
}

function modalityList(text: string): Modality[] {
  return text.split(',').map((name) => {
    const modality = MODALITIES.find((known) => known === name.trim());
    if (modality === undefined) throw new InvalidArgumentError(`${name} is none of ${MODALITIES.join(', ')}.`);
    return modality;
  });
}
