/**
 * Child process of the doctor: one execution provider, warmed up.   probe-onnxruntime.js <provider> <pnet.onnx>
 * Without cuDNN a CUDA session can be created and fails at its first convolution, so one has to be run.
 */
import type { OnnxRuntimeProbe } from './onnxruntime.js';

const [provider = '', net = ''] = process.argv.slice(2);
const SIDE = 24;

/** CUDA's own words where there are some: the runtime wraps them in C++ signatures. */
function reasonOf(message: string): string {
  return /CUDA failure \d+: [^;]+/.exec(message)?.[0].trim() ?? message.split('\n')[0]?.slice(0, 200) ?? 'failed';
}

async function probe(): Promise<OnnxRuntimeProbe> {
  const ort = await import('onnxruntime-node');
  const version = ort.env.versions.node ?? ort.env.versions.common;
  try {
    const session = await ort.InferenceSession.create(net, { executionProviders: [provider], logSeverityLevel: 4 });
    const image = new ort.Tensor('float32', new Float32Array(3 * SIDE * SIDE), [1, 3, SIDE, SIDE]);
    await session.run({ image });
    return { version, failure: null };
  } catch (error) {
    return { version, failure: reasonOf(error instanceof Error ? error.message : String(error)) };
  }
}

process.send?.(await probe(), () => process.disconnect());
