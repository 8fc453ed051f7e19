import { performance } from 'node:perf_hooks';
import { verifyBundle } from '../common/bundle-files.js';
import { runChild } from '../common/child-main.js';
import { MODALITIES } from '../common/labels.js';
import { Random } from '../common/random.js';
import { SPEECH_FRAMES } from '../preprocessing/model-inputs.js';
import type { Network } from '../serving/engine/network.js';
import { openNetwork } from '../serving/engine/open-network.js';
import { scoreViews } from '../serving/engine/score-views.js';
import { type ScoringRequest, wholeClip } from '../serving/engine/scoring.js';
import type { BranchInput } from '../serving/engine/tensors.js';
import { type InferReport, type InferRequest, inferRequestSchema, type Measurement } from './infer-protocol.js';
import { quantile, summarise } from './statistics.js';

/** The measuring process of `mer bench infer`: ONNX Runtime blocks its thread and stays out of the command's own. */
runChild({
  configSchema: inferRequestSchema,
  requestSchema: inferRequestSchema,
  async setUp({ bundleDir, device, threads, batches }) {
    const bundle = await verifyBundle(bundleDir);
    const opened = await openNetwork(bundleDir, bundle, device, threads, { maxBatch: Math.max(...batches) });
    return {
      info: null,
      async handle(request): Promise<InferReport> {
        const { maxFrames, faceSize } = bundle.preprocessing;
        return {
          model: { name: bundle.name, version: bundle.version },
          device: opened.device,
          fallback: opened.fallback,
          threads,
          clip: { melFrames: SPEECH_FRAMES, faceFrames: maxFrames, faceSize, words: request.words },
          repeats: request.repeats,
          measurements: await measureAll(opened.network, maxFrames, request),
        };
      },
    };
  },
});

async function measureAll(network: Network, frames: number, request: InferRequest): Promise<Measurement[]> {
  const random = Random.for(1, 'bench infer');
  const clip = network.emptyClip({ frames, words: request.words });
  // Zeros would let a multiplication by zero look as fast as it never is.
  clip.speech?.data.forEach((_, index, data) => {
    data[index] = random.uniform();
  });
  clip.face?.data.forEach((_, index, data) => {
    data[index] = random.integer(256);
  });
  clip.text?.data.forEach((_, index, data) => {
    data[index] = random.normal();
  });
  const measurements: Measurement[] = [];
  for (const batch of request.batches) {
    const requests = new Array<ScoringRequest>(batch).fill(wholeClip(clip));
    const features: Parameters<Network['runFusion']>[0][number]['features'] = {};
    for (const modality of network.modalities) {
      const inputs = new Array<BranchInput>(batch).fill(clip[modality]!);
      const run = () => network.runBranch(modality, inputs);
      measurements.push(await measure(modality, batch, run, request));
      const [feature] = (await run()).features;
      if (feature !== undefined) features[modality] = feature;
    }
    if (network.modalities.length < MODALITIES.length) continue;
    const rows = new Array(batch).fill({ features, subset: MODALITIES });
    measurements.push(await measure('fusion', batch, () => network.runFusion(rows), request));
    measurements.push(await measure('multimodal', batch, () => scoreViews(network, requests), request));
  }
  return measurements;
}

async function measure(
  graph: string,
  batch: number,
  run: () => Promise<unknown>,
  { repeats, warmup }: InferRequest,
): Promise<Measurement> {
  for (let i = 0; i < warmup; i++) await run();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  const milliseconds = summarise(times);
  return {
    graph,
    batch,
    milliseconds,
    p99: quantile(times, 0.99),
    clipsPerSecond: (1000 * batch) / milliseconds.median,
  };
}
