import { expect, test } from 'vitest';
import { z } from 'zod';
import { MODALITIES } from '../../common/labels.js';
import { MTCNN_DIR } from '../../common/paths.js';
import { preprocessClip } from '../../preprocessing/clip.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { evaluationInputs, fitSpeech, type InputSpec } from '../../preprocessing/model-inputs.js';
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
    ...{ seedFrames: SEED_FRAMES.submission, modalities: [...MODALITIES], limits: DEFAULT_LIMITS },
  };
  const pool = await WorkerPool.create<null, PreparedClip>({
    ...{ name: 'preprocessing', size: 1, config, taskTimeoutMs: 120_000, maxQueue: 1, onEvent: () => {} },
    module: new URL('../../serving/engine/preprocessing-child.js', import.meta.url),
    concurrency: () => 1,
    infoSchema: z.null(),
    resultSchema: preparedClipSchema,
  });
  const detector = await testDetector();
  try {
    const stages: unknown[] = [];
    const { plan } = await pool.run(
      { files: { clip } },
      { deadline: Date.now() + 120_000, onProgress: (stage) => stages.push(stage) },
    );
    const features = await preprocessClip({ clip }, { compat: 'seed', maxFrames: 8 }, detector);
    expect(stages).toEqual(['decode', 'audio', 'faces']);
    const { speech, face } = evaluationInputs(features, inputs, SEED_FRAMES.submission);
    const [window] = plan.windows;
    const { data, length } = plan.inputs.speech!;
    expect(fitSpeech(data, length, window!.speech!.start, 'seed', window!.speech!.frames)).toEqual(speech);
    const size = 56 * 56 * 3;
    const frames = window!.face!.map((frame) =>
      frame < 0 ? new Uint8Array(size) : plan.inputs.face!.data.subarray(frame * size, (frame + 1) * size),
    );
    expect(frames).toHaveLength(32);
    expect(Buffer.concat(frames).equals(face!.data)).toBe(true);
  } finally {
    await pool.dispose();
    await detector.dispose();
  }
});
