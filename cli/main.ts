import util from 'node:util';
import { Command } from 'commander';
import { asMerError, type MerError } from '../common/errors.js';
import { NO_TELEMETRY } from '../common/telemetry.js';
import { addAugmentPreviewCommand } from './augment-preview.js';
import { addBenchCommand } from './bench.js';
import { addBuildCommand } from './build.js';
import { addDemoCommand } from './demo.js';
import { addDemoDataCommand } from './demo-data.js';
import { addDoctorCommand } from './doctor.js';
import { addEvaluateCommand } from './evaluate.js';
import { addExportCommand } from './export.js';
import { addInspectCommand } from './inspect.js';
import { addPredictCommand } from './predict.js';
import { addPreprocessCommand } from './preprocess.js';
import { addScoreCommand } from './score.js';
import { addServeCommand } from './serve.js';
import { addSubmitCommand } from './submit.js';
import { addTrainCommand } from './train.js';
import { addVerifyCommand } from './verify.js';
import { addWeightsCommand } from './weights.js';

/**
 * The `mer` command line. Each command lives in its own file of this folder.
 * @param report is told of an error that ends the command; by default it is printed
 */
export async function main(argv: readonly string[], report: (error: MerError) => void = printError): Promise<void> {
  Object.assign(process.env, NO_TELEMETRY);
  // tfjs-node calls this function, which Node 24 no longer has.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined });
  const program = new Command('mer')
    .description('Train, export to ONNX and serve multimodal emotion recognition.')
    .showHelpAfterError('(add --help for the flags)');
  addDemoCommand(program);
  addDoctorCommand(program);
  addDemoDataCommand(program);
  addBuildCommand(program);
  addPreprocessCommand(program);
  addAugmentPreviewCommand(program);
  addTrainCommand(program);
  addBenchCommand(program);
  addEvaluateCommand(program);
  addExportCommand(program);
  addInspectCommand(program);
  addPredictCommand(program);
  addScoreCommand(program);
  addServeCommand(program);
  addSubmitCommand(program);
  addVerifyCommand(program);
  addWeightsCommand(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    report(asMerError(error));
    process.exitCode = 1;
  }
}

function printError({ code, message, remedy }: MerError): void {
  process.stderr.write(`error (${code}): ${message}\n  ${remedy}\n`);
}
