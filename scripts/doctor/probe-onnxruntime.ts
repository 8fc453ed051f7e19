/**
 * Child process of the doctor: one execution provider, warmed up.   probe-onnxruntime.js <provider> <pnet.onnx>
 * Without cuDNN a CUDA session can be created and fails at its first convolution, so one has to be run.
 */
import type { OnnxRuntimeProbe } from './onnxruntime.js';

const [provider = '', net = ''] = process.argv.slice(2);
const SIDE = 24;

async function probe(): Promise<OnnxRuntimeProbe> {
  const ort = await import('onnxruntime-node');
  const version = ort.env.versions.node ?? ort.env.versions.common;
  try {
    const session = await ort.InferenceSession.create(net, { executionProviders: [provider], logSeverityLevel: 4 });
    const image = new ort.Tensor('float32', new Float32Array(3 * SIDE * SIDE), [1, 3, SIDE, SIDE]);
    await session.run({ image });
    return { version, failure: null };
  } catch (error) {
    return { version, failure: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? 'failed' };
  }
}

process.send?.(await probe(), () => process.disconnect());
