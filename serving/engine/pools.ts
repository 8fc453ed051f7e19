import { z } from 'zod';
import { HEAP_FOR_BUFFERS } from '../../common/child.js';
import { RUNTIME_ENVIRONMENT } from './devices.js';
import {
  type InferenceConfig,
  type InferenceInfo,
  inferenceInfoSchema,
  type PreparedClip,
  type PreprocessingConfig,
  preparedClipSchema,
  type ScoredClip,
  scoredClipSchema,
} from './tasks.js';
import { type PoolOptions, WorkerPool } from './worker-pool.js';

type SharedOptions = Pick<PoolOptions<unknown, unknown>, 'taskTimeoutMs' | 'maxQueue' | 'onEvent'>;

/** The one inference process of a device. */
export function startInference(
  shared: SharedOptions,
  config: InferenceConfig,
): Promise<WorkerPool<InferenceInfo, ScoredClip>> {
  return WorkerPool.create({
    ...shared,
    name: 'inference',
    module: new URL('./inference-child.js', import.meta.url),
    config,
    env: RUNTIME_ENVIRONMENT,
    size: 1,
    // While one batch runs, the next one is on its way.
    concurrency: ({ maxBatch }) => 2 * maxBatch,
    infoSchema: inferenceInfoSchema,
    resultSchema: scoredClipSchema,
  });
}

/** The preprocessing processes, each of which works on one clip at a time. */
export function startPreprocessing(
  shared: SharedOptions,
  size: number,
  config: PreprocessingConfig,
): Promise<WorkerPool<null, PreparedClip>> {
  return WorkerPool.create({
    ...shared,
    name: 'preprocessing',
    module: new URL('./preprocessing-child.js', import.meta.url),
    nodeFlags: HEAP_FOR_BUFFERS,
    config,
    size,
    concurrency: () => 1,
    infoSchema: z.null(),
    resultSchema: preparedClipSchema,
  });
}
