import { performance } from 'node:perf_hooks';
import { verifyBundle } from '../../common/bundle-files.js';
import { runChild } from '../../common/child-main.js';
import { openNetwork } from './open-network.js';
import { type InferenceInfo, inferenceConfigSchema, modelInputsSchema, type ScoredClip } from './tasks.js';

/** The inference process of one device. It scores one clip at a time; `Network.run` takes batches as well. */
runChild({
  configSchema: inferenceConfigSchema,
  requestSchema: modelInputsSchema,
  async setUp({ bundleDir, device, threads }) {
    const opened = await openNetwork(bundleDir, await verifyBundle(bundleDir), device, threads);
    const { network, fallback } = opened;
    const info: InferenceInfo = { device: opened.device, fallback, modalities: network.modalities };
    return {
      info,
      async handle(inputs): Promise<ScoredClip> {
        const start = performance.now();
        const [scores] = await network.run([inputs]);
        return { scores: scores!, milliseconds: performance.now() - start };
      },
    };
  },
});
