import { WorkerProcess } from '../common/worker-process.js';
import { RUNTIME_ENVIRONMENT } from '../serving/engine/devices.js';
import { type InferReport, type InferRequest, inferReportSchema } from './infer-protocol.js';

/**
 * Measures each network of a bundle in a child process, as the engine runs it: copying the inputs into a batch
 * included, preprocessing and message passing not.
 *
 * @throws MerError bad_file for a bundle that is not whole; missing_part when the device does not run
 */
export async function benchInfer(request: InferRequest): Promise<InferReport> {
  const { worker } = await WorkerProcess.start({
    name: 'benchmark',
    module: new URL('./infer-child.js', import.meta.url),
    config: request,
    env: RUNTIME_ENVIRONMENT,
  });
  try {
    return inferReportSchema.parse(await worker.execute(request));
  } finally {
    await worker.kill();
  }
}
