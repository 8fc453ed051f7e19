import { performance } from 'node:perf_hooks';
import { verifyBundle } from '../../common/bundle-files.js';
import { runChild } from '../../common/child-main.js';
import type { Modality } from '../../common/labels.js';
import { Batcher } from './batcher.js';
import { batchingOf } from './devices.js';
import { openNetwork } from './open-network.js';
import { scoreViews } from './score-views.js';
import { type ScoringRequest, scoringRequestSchema } from './scoring.js';
import { type InferenceInfo, inferenceConfigSchema, type ScoredBatch, type ScoredClip } from './tasks.js';

interface Asked {
  request: ScoringRequest;
  progress(value: ScoredBatch): void;
}

/** The inference process of one device: what waits at the same time is scored together. */
runChild({
  configSchema: inferenceConfigSchema,
  requestSchema: scoringRequestSchema,
  async setUp({ bundleDir, device: choice, threads, batching: asked }) {
    const bundle = await verifyBundle(bundleDir);
    // Clips of an int8 bundle run one by one: the first one need not wait for the last.
    const wanted = bundle.precision === 'int8' ? { maxBatch: 1, maxBatchDelayMs: 0 } : asked;
    const { network, device, fallback } = await openNetwork(bundleDir, bundle, choice, threads, wanted);
    const { maxBatch, maxBatchDelayMs } = batchingOf(device, wanted);
    const batcher = new Batcher<Asked, ScoredClip>({
      maxBatch,
      maxDelayMs: maxBatchDelayMs,
      async run(asked) {
        const start = performance.now();
        const requests = asked.map(({ request }) => request);
        const scores = await scoreViews(network, requests);
        const milliseconds = performance.now() - start;
        asked[0]!.progress(batchOf(requests, milliseconds));
        return scores.map((scored) => ({ scored, milliseconds }));
      },
    });
    const { modalities, takesGain } = network;
    const info: InferenceInfo = { device, fallback, modalities, takesGain, maxBatch };
    return { info, handle: (request, { signal, progress }) => batcher.add({ request, progress }, signal) };
  },
});

function batchOf(requests: readonly ScoringRequest[], milliseconds: number): ScoredBatch {
  const count = (modality: Modality) => requests.reduce((sum, { views }) => sum + views[modality].length, 0);
  return {
    clips: requests.length,
    views: { speech: count('speech'), face: count('face'), text: count('text') },
    seconds: milliseconds / 1000,
  };
}
