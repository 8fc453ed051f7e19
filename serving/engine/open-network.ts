import { env } from 'onnxruntime-node';
import type { Bundle } from '../../common/bundle.js';
import { MerError } from '../../common/errors.js';
import { type AskedBatching, batchingOf, type Device, type DeviceChoice } from './devices.js';
import { Network } from './network.js';

export interface OpenNetwork {
  network: Network;
  device: Device;
  /** Why `auto` runs on the CPU. */
  fallback?: string;
}

/**
 * Opens the networks of a bundle, warms them up and so proves that the device works: ONNX Runtime opens sessions on a
 * GPU whose libraries are not there and fails at the first convolution.
 *
 * @throws MerError missing_part, with ONNX Runtime's reason, when CUDA was asked for and does not run
 */
export async function openNetwork(
  directory: string,
  bundle: Bundle,
  choice: DeviceChoice,
  threads: number,
  batching: AskedBatching = {},
): Promise<OpenNetwork> {
  // What ONNX Runtime would print of a missing GPU is no error where the CPU may do.
  if (choice === 'auto') env.logLevel = 'fatal';
  const open = (device: Device) => openWarm(directory, bundle, device, threads, batchingOf(device, batching).maxBatch);
  if (choice === 'cpu') return { network: await open('cpu'), device: 'cpu' };
  const device = choice === 'auto' ? 'cuda:0' : choice;
  try {
    return { network: await open(device), device };
  } catch (error) {
    if (error instanceof MerError) throw error;
    const reason = firstLine(error);
    if (choice === 'auto') {
      return { network: await open('cpu'), device: 'cpu', fallback: `CUDA does not run here: ${reason}` };
    }
    throw new MerError(
      'missing_part',
      `CUDA was asked for (${device}) and does not run: ${reason}`,
      'Run `npm run setup -- --gpu` on a machine with an NVIDIA driver, or use --device cpu.',
    );
  }
}

async function openWarm(
  directory: string,
  bundle: Bundle,
  device: Device,
  threads: number,
  maxBatch: number,
): Promise<Network> {
  const network = await Network.create(directory, bundle, device, threads, maxBatch);
  try {
    await network.warmUp();
  } catch (error) {
    await network.dispose();
    throw error;
  }
  return network;
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? message;
}
