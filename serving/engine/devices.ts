import type { InferenceSession } from 'onnxruntime-node';

export const DEVICE_CHOICES = ['auto', 'cpu', 'cuda'] as const;
/** What the user asks for; `auto` takes CUDA where it truly runs. */
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

export const DEVICES = ['cpu', 'cuda'] as const;
/** Where the networks run. */
export type Device = (typeof DEVICES)[number];

/** @param threads threads of ONNX Runtime within one operator */
export function sessionOptions(device: Device, threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
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
