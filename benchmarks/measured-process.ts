import { z } from 'zod';
import type { Compat } from '../common/bundle.js';
import { HEAP_FOR_BUFFERS } from '../common/child.js';
import { WorkerProcess } from '../common/worker-process.js';
import { RUNTIME_ENVIRONMENT } from '../serving/engine/devices.js';
import {
  type MeasuredClip,
  measuredClipSchema,
  type ReferenceClip,
  referenceClipSchema,
} from './preprocess-protocol.js';
import { ReferenceSession } from './reference/session.js';

/** A process that does clips, one after the other. */
export interface ClipProcess<Result> {
  pid: number;
  run(clip: string): Promise<Result>;
  kill(): Promise<void>;
}

/** A fresh process of ours, with the settings of a worker of `mer preprocess` but for `threads`. */
export async function startOurs(compat: Compat, threads: number) {
  const { worker } = await WorkerProcess.start({
    name: 'benchmark',
    module: new URL('./preprocess-child.js', import.meta.url),
    config: { compat, threads },
    env: RUNTIME_ENVIRONMENT,
    nodeFlags: HEAP_FOR_BUFFERS,
  });
  return {
    pid: worker.pid ?? 0,
    /** @param folder where the features are written too, if at all */
    run: async (clip: string, folder: string | null = null): Promise<MeasuredClip> =>
      measuredClipSchema.parse(await worker.execute({ kind: 'clip', clip, folder })),
    /** Multiply-accumulates a second. */
    matrixRate: async (file: string, macs: number, repeats: number): Promise<number> =>
      z.number().parse(await worker.execute({ kind: 'matrix', file, macs, repeats })),
    kill: async () => {
      // A process that dies beside its parent is waited for by nobody of ours: its time would count as that of others.
      // One that has died already has said so to whoever asked it.
      await worker.execute({ kind: 'end' }).catch(() => {});
      await worker.kill();
    },
  };
}

/** A fresh process of the reference. @param mel where the spectrogram of a clip is written */
export async function startReference(threads: number, mel: string): Promise<ClipProcess<ReferenceClip>> {
  const session = await ReferenceSession.start('preprocess.py', threads);
  return {
    pid: session.pid ?? 0,
    run: async (clip) => referenceClipSchema.parse(await session.execute({ clip, mel })),
    kill: () => session.kill(),
  };
}
