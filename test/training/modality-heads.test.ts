import { describe, expect, test } from 'vitest';
import { Random } from '../../common/random.js';
import type { ModelSpec } from '../../models/spec.js';
import { collate, type ModelInputs } from '../../preprocessing/model-inputs.js';
import { smoothedTargets } from '../../training/data/targets.js';
import { parseTrainConfig } from '../../training/parse-config.js';
import { TrainingSession } from '../../training/session.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

const SPEC: ModelSpec = { ...TINY_SPEC, fusion: 'concat' };

const HEADS = {
  speech: 'speech_model.out.out.weight',
  face: 'face_model.out.out.weight',
  text: 'text_model.out.weight',
} as const;

function clip(seed: number): ModelInputs {
  const random = new Random(seed);
  return {
    speech: { data: Float32Array.from({ length: 128 * 400 }, () => random.uniform()), length: 400 },
    face: { data: Uint8Array.from({ length: 2 * 56 * 56 * 3 }, () => random.integer(256)), length: 2 },
    text: { data: Float32Array.from({ length: 3 * SPEC.wordDim }, () => random.normal()), length: 3 },
  };
}

/** The heads whose weights one step changes; without weight decay only those that a loss depends on do. */
async function learningHeads(flags: Record<string, unknown>): Promise<string[]> {
  const config = parseTrainConfig({ mode: 'multimodal', weight_decay: 0, ...flags });
  const before = tinyState(SPEC);
  const session = await TrainingSession.create(SPEC, config, before);
  const batch = collate([clip(1), clip(2)], SPEC);
  const examples = [0, 3].map((label) => ({ labels: { inte: label, face: label, speech: label } }));
  const targets = smoothedTargets(examples, 0);
  session.train({ batch, targets, observed: batch.presence.slice(), stems: ['a', 'b'] }, 1e-3);
  const after = session.variables.state();
  session.dispose();
  return Object.entries(HEADS)
    .filter(([, name]) => after.get(name)!.data.join() !== before.get(name)!.data.join())
    .map(([modality]) => modality);
}

describe('in multimodal training', () => {
  test('by default every modality learns its logits, whatever --lam is', async () => {
    expect(await learningHeads({ lam: 0 })).toEqual(['speech', 'face', 'text']);
  });

  test('in compat seed speech and face learn theirs through --lam alone, and text never does', async () => {
    expect(await learningHeads({ compat: 'seed', lam: 0 })).toEqual([]);
    expect(await learningHeads({ compat: 'seed', lam: 0.5 })).toEqual(['speech', 'face']);
  });
});
