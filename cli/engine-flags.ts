import { type Command, InvalidArgumentError } from 'commander';
import { type DeviceChoice, parseDeviceChoice } from '../serving/engine/devices.js';
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
