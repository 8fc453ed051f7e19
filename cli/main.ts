import { Command } from 'commander';
import { asMerError } from '../common/errors.js';
import { addDoctorCommand } from './doctor.js';
import { addTrainCommand } from './train.js';

/** The `mer` command line. Each command lives in its own file of this folder. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('mer')
    .description('Train, export to ONNX and serve multimodal emotion recognition.')
    .showHelpAfterError('(add --help for the flags)');
  addDoctorCommand(program);
  addTrainCommand(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    const { code, message, remedy } = asMerError(error);
    process.stderr.write(`error (${code}): ${message}\n  ${remedy}\n`);
    process.exitCode = 1;
  }
}
