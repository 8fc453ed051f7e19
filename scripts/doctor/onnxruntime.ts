import { z } from 'zod';
import { onnxruntimeCudaStep } from '../setup/onnxruntime-cuda.js';
import { absent, broken, type Part, type Subject, working } from './part.js';
import { runProbe } from './probe.js';

const probeSchema = z.object({ version: z.string(), failure: z.string().nullable() });
export type OnnxRuntimeProbe = z.infer<typeof probeSchema>;

const CPU: Subject = {
  id: 'onnxruntime-cpu',
  name: 'ONNX Runtime, CPU',
  neededFor: 'serving, preprocessing and export',
  install: 'npm run setup -- --for serve',
};

const CUDA: Subject = {
  id: 'onnxruntime-cuda',
  name: 'ONNX Runtime, CUDA',
  neededFor: 'serving on an NVIDIA GPU',
  install: 'npm run setup -- --for serve --gpu',
};

/**
 * Every execution provider, tried with a real convolutional network.
 * @param net path of pnet.onnx; null when neither set-up nor a bundle has brought one yet
 */
export async function onnxruntimeParts(net: string | null): Promise<Part[]> {
  const hasCuda = await onnxruntimeCudaStep.isDone();
  if (!net) {
    const untried = 'not tried: there is no network to try it with';
    const install = 'npm run setup -- --for preprocess';
    return [absent({ ...CPU, install }, untried), hasCuda ? absent({ ...CUDA, install }, untried) : absent(CUDA)];
  }
  return [await providerPart(CPU, 'cpu', net), hasCuda ? await providerPart(CUDA, 'cuda', net) : absent(CUDA)];
}

async function providerPart(subject: Subject, provider: string, net: string): Promise<Part> {
  const module = new URL('./probe-onnxruntime.js', import.meta.url);
  const outcome = await runProbe(module, [provider, net], probeSchema);
  if (!outcome.ok) return broken(subject, null, outcome.reason);
  const { version, failure } = outcome.value;
  return failure === null ? working(subject, version, 'ran a network') : broken(subject, version, failure);
}
