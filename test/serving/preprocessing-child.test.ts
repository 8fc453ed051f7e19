import { expect, test } from 'vitest';
import { z } from 'zod';
import { MTCNN_DIR } from '../../common/paths.js';
import { preprocessClip } from '../../preprocessing/clip.js';
import { evaluationInputs, type InputSpec } from '../../preprocessing/model-inputs.js';
import { SEED_FRAMES, SEED_WORDS } from '../../preprocessing/seed-inputs.js';
import { type PreparedClip, type PreprocessingConfig, preparedClipSchema } from '../../serving/engine/tasks.js';
import { WorkerPool } from '../../serving/engine/worker-pool.js';
import { testClips } from '../helpers/test-clips.js';
import { testDetector } from '../preprocessing/helpers.js';

test('clips for a network of compat seed are preprocessed, chosen from and padded in compat seed', async () => {
  const { whole: clip } = await testClips();
  const inputs: InputSpec = { compat: 'seed', faceSize: 56, wordDim: 24, maxWords: SEED_WORDS };
  const config: PreprocessingConfig = {
    ...{ detectorDir: MTCNN_DIR, compat: 'seed', maxFrames: 8, subject: 'largest', threads: 1, inputs },
    seedFrames: SEED_FRAMES.submission,
  };
  const pool = await WorkerPool.create<null, PreparedClip>({
    ...{ name: 'preprocessing', size: 1, config, taskTimeoutMs: 120_000, maxQueue: 1, onEvent: () => {} },
    module: new URL('../../serving/engine/preprocessing-child.js', import.meta.url),
    infoSchema: z.null(),
    resultSchema: preparedClipSchema,
  });
  const detector = await testDetector();
  try {
    const prepared = await pool.run({ clip }, Date.now() + 120_000);
    const features = await preprocessClip({ clip }, { compat: 'seed', maxFrames: 8 }, detector);
    expect(prepared.inputs).toEqual(evaluationInputs(features, inputs, SEED_FRAMES.submission));
    expect(prepared.inputs).toMatchObject({ speech: { length: 400 }, face: { length: 32 } });
  } finally {
    await pool.dispose();
    await detector.dispose();
  }
});
