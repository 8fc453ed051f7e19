import type { InferenceSession } from 'onnxruntime-node';
import { z } from 'zod';

/** Where the networks run: the processor, or one GPU by its number. */
export type Device = 'cpu' | `cuda:${number}`;
export const deviceSchema = z.custom<Device>(isDevice, 'Not `cpu` or `cuda:K`.');

/** What the user asks for; `auto` takes the first GPU where CUDA truly runs. */
export type DeviceChoice = 'auto' | Device;
export const deviceChoiceSchema = z.custom<DeviceChoice>(
  (value) => value === 'auto' || isDevice(value),
  'Not `auto`, `cpu` or `cuda:K`.',
);

function isDevice(value: unknown): value is Device {
  return typeof value === 'string' && /^(cpu|cuda:\d{1,3})$/.test(value);
}

/** The choice that a user typed; `cuda` is the first GPU. Null when it is none. */
export function parseDeviceChoice(text: string): DeviceChoice | null {
  const choice = deviceChoiceSchema.safeParse(text === 'cuda' ? 'cuda:0' : text);
  return choice.success ? choice.data : null;
}

/** How clips of several requests are scored together. */
export interface Batching {
  /** Most clips of one batch, and most rows of one run of a network. */
  maxBatch: number;
  /** How long an idle device waits for more clips after the first one, in milliseconds. */
  maxBatchDelayMs: number;
}

/** On a processor a single clip already uses all threads, so it waits for none; a GPU is filled by batches. */
const BATCHING: Record<'cpu' | 'cuda', Batching> = {
  cpu: { maxBatch: 4, maxBatchDelayMs: 0 },
  cuda: { maxBatch: 16, maxBatchDelayMs: 5 },
};

/** What is not asked for is as it suits the device. */
export type AskedBatching = { [Key in keyof Batching]?: Batching[Key] | undefined };

export function batchingOf(device: Device, { maxBatch, maxBatchDelayMs }: AskedBatching = {}): Batching {
  const usual = BATCHING[device === 'cpu' ? 'cpu' : 'cuda'];
  return { maxBatch: maxBatch ?? usual.maxBatch, maxBatchDelayMs: maxBatchDelayMs ?? usual.maxBatchDelayMs };
}

/** @param threads threads of ONNX Runtime within one operator */
export function sessionOptions(device: Device, threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: [device === 'cpu' ? 'cpu' : { name: 'cuda', deviceId: Number(device.slice('cuda:'.length)) }],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Threads that spin while they wait take the cores that decoding and face detection need.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    // Errors only: they are thrown as well.
    logSeverityLevel: 3,
  };
}

/** What ONNX Runtime must find in its environment before it starts: TF32 would cost float32 half of its digits. */
export const RUNTIME_ENVIRONMENT = { NVIDIA_TF32_OVERRIDE: '0' };
