/** Child process of the doctor: loads TensorFlow and says what it is. */
import { Native } from '../../training/tensorflow/native.js';
import type { TensorflowProbe } from './tensorflow.js';

async function probe(): Promise<TensorflowProbe> {
  try {
    const native = await Native.load();
    return { ok: true, version: native.version, gpu: native.usesGpu };
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { ok: false, reason };
  }
}

process.send?.(await probe(), () => process.disconnect());
