import { type Command, InvalidArgumentError } from 'commander';
import { type AskedBatching, type DeviceChoice, parseDeviceChoice } from '../serving/engine/devices.js';
import { wholeNumber } from './flags.js';

/** Where networks run. */
export interface DeviceFlags {
  device: DeviceChoice;
  threads?: number;
}

/** The flags of every command that runs a bundle. */
export interface EngineFlags extends DeviceFlags {
  bundle?: string;
}

export function addEngineFlags(command: Command): Command {
  return addDeviceFlags(command.option('--bundle <dir>', 'folder of the bundle (default: the newest under bundles/)'));
}

export function addDeviceFlags(command: Command): Command {
  return command
    .option(
      '--device <device>',
      'where the networks run: cpu, cuda:K, or auto: CUDA where it truly runs',
      device,
      'auto',
    )
    .option('--threads <n>', 'threads of inference (default: one a core)', wholeNumber(1));
}

/** The flags of the commands that score clips of several requests together. */
export interface BatchFlags {
  max_batch?: number;
  max_batch_delay_ms?: number;
}

export function addBatchFlags(command: Command): Command {
  return command
    .option('--max_batch <n>', 'most clips that are scored together (default: 4; on a GPU 16)', wholeNumber(1))
    .option(
      '--max_batch_delay_ms <n>',
      'how long an idle device waits for more of them (default: 0; on a GPU 5)',
      wholeNumber(0),
    );
}

/** The flags as options of the engine. */
export function batchOptions({ max_batch, max_batch_delay_ms }: BatchFlags): { batching: AskedBatching } {
  return { batching: { maxBatch: max_batch, maxBatchDelayMs: max_batch_delay_ms } };
}

function device(text: string): DeviceChoice {
  const choice = parseDeviceChoice(text);
  if (choice === null) throw new InvalidArgumentError('It is not auto, cpu, cuda or cuda:K.');
  return choice;
}

/** The folder of the bundle that the flags name. @throws MerError not_found when none is named and none is there */
export async function bundleFolder({ bundle }: Pick<EngineFlags, 'bundle'>): Promise<string> {
  if (bundle !== undefined) return bundle;
  const { findNewestBundle } = await import('../common/bundle-files.js');
  return findNewestBundle();
}

/** The flags as options of the engine. */
export function engineOptions({ device, threads }: DeviceFlags): { device: DeviceChoice; threads?: number } {
  return threads === undefined ? { device } : { device, threads };
}
