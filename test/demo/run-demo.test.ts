import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readBundle } from '../../common/bundle-files.js';
import { readJson } from '../../common/files.js';
import { runDemo } from '../../demo/run-demo.js';
import { answerSchema } from '../../serving/answer.js';

const reportSchema = z.object({
  stages: z.array(z.object({ name: z.string(), seconds: z.number().positive() })),
  accuracy: z.record(z.string(), z.number().min(0).max(1)),
  answers: z.array(answerSchema),
});

test('the demo goes from nothing to the answers of a server, and reports every stage', async () => {
  const root = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-demo-'));
  const ownClip = path.join(import.meta.dirname, '../golden/clips/00002-ang-neu-ang.mp4');
  try {
    // Too few clips to learn from: what is learned stands in docs/demo-accuracy.md.
    await runDemo({ clip: ownClip, clips: 40, seed: 1, root });
    const { stages, accuracy, answers } = await readJson(path.join(root, 'demo', 'report.json'), reportSchema);
    expect(stages.map(({ name }) => name)).toEqual([
      'demo clips',
      'preprocess',
      'train speech',
      'train face',
      'train text',
      'train multimodal',
      'export',
      'serve and answer',
    ]);
    expect(Object.keys(accuracy)).toEqual(['speech', 'face', 'text', 'multimodal']);
    expect(answers).toHaveLength(2);
    const [demo, own] = answers;
    for (const modality of Object.values(demo!.modalities)) expect(modality.status).toBe('used');
    expect(own!.modalities).toMatchObject({ face: { status: 'used' }, text: { status: 'missing' } });
    const bundle = await readBundle(path.join(root, 'bundles', 'demo'));
    // The features of the demo keep 16 frames, and so must serving.
    expect(bundle.preprocessing.maxFrames).toBe(16);
  } finally {
    await fsp.rm(root, { recursive: true });
  }
});
