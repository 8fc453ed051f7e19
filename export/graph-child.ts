/** Child process that runs finished graphs: ONNX Runtime where no TensorFlow is loaded. */
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { runChild } from '../common/child-main.js';
import { type Comparison, type GraphRequest, graphRequestSchema } from './graph-protocol.js';
import { largestError } from './largest-error.js';
import { LOGITS, OnnxNetwork } from './onnx-network.js';
import { recordSelfTest } from './self-test.js';

/** Timed runs of each, in alternation, after one that warms up; an odd number, for the median. */
const TURNS = 7;

runChild({
  configSchema: z.null(),
  requestSchema: graphRequestSchema,
  async setUp() {
    return {
      info: null,
      async handle(request): Promise<Comparison | null> {
        if (request.kind === 'compare') return compare(request);
        await recordSelfTest(request.directory, request.batch, request.precision);
        return null;
      },
    };
  },
});

async function compare(request: Extract<GraphRequest, { kind: 'compare' }>): Promise<Comparison> {
  const threads = os.availableParallelism();
  const fp32 = await OnnxNetwork.open(request.fp32, threads);
  const variant = await OnnxNetwork.open(request.variant, threads);
  let maxError = 0;
  for (const batch of request.clips) {
    const [expected, found] = [await fp32.run(batch), await variant.run(batch)];
    for (const output of LOGITS) {
      if (expected[output]) maxError = Math.max(maxError, largestError(expected[output], found[output]));
    }
  }
  const times: Record<'fp32' | 'variant', number[]> = { fp32: [], variant: [] };
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const [name, network] of [
      ['fp32', fp32],
      ['variant', variant],
    ] as const) {
      const start = performance.now();
      await network.run(request.full);
      if (turn > 0) times[name].push((performance.now() - start) / 1000);
    }
  }
  await fp32.dispose();
  await variant.dispose();
  return { maxError, seconds: { fp32: median(times.fp32), variant: median(times.variant), threads } };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
