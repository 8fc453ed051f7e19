import { expect, test } from 'vitest';
import { MODALITIES } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { MODES } from '../../models/spec.js';
import { collate, type ModelInputs } from '../../preprocessing/model-inputs.js';
import { createPredictor, type Prediction } from '../../training/tensorflow/predictor.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

function randomInputs(seed: number, frames: number, words: number): ModelInputs {
  const random = new Random(seed);
  const { faceSize, wordDim } = TINY_SPEC;
  const speech = new Float32Array(128 * 400);
  for (let i = 0; i < speech.length; i++) if (i % 400 < 150) speech[i] = random.uniform();
  return {
    speech: { data: speech, length: 150 },
    face: {
      data: Uint8Array.from({ length: frames * faceSize * faceSize * 3 }, () => random.integer(256)),
      length: frames,
    },
    text: { data: Float32Array.from({ length: words * wordDim }, () => random.normal()), length: words },
  };
}

test.each(MODES)("%s: a clip's logits do not depend on what else is in its batch", async (mode) => {
  const spec = { ...TINY_SPEC, mode };
  const predictor = await createPredictor(spec, tinyState(spec), 'test');
  const clips = [randomInputs(1, 3, 2), randomInputs(2, 7, 9), { ...randomInputs(3, 5, 4), face: null }];
  // A network of faces alone is not asked about a clip without one.
  const asked = mode === 'face' ? clips.slice(0, 2) : clips;
  const together = predictor.predict(collate(asked, spec));
  const outputs = (prediction: Prediction) => [
    prediction.logits,
    ...MODALITIES.flatMap((modality) => prediction.branches[modality]?.logits ?? []),
  ];
  for (const [index, clip] of asked.entries()) {
    const alone = outputs(predictor.predict(collate([clip], spec)));
    for (const [output, { data }] of outputs(together).entries()) {
      for (const column of Array(7).keys()) {
        // The sums are the same; float32 kernels may add them in another order in a larger batch.
        expect(data[index * 7 + column]).toBeCloseTo(alone[output]!.data[column]!, 5);
      }
    }
  }
  predictor.dispose();
});

test("exchanging a clip's face, voice or words changes that modality's logits and no other's", async () => {
  const predictor = await createPredictor(TINY_SPEC, tinyState(), 'test');
  const logits = (inputs: ModelInputs) => {
    const { branches } = predictor.predict(collate([inputs], TINY_SPEC));
    return { speech: branches.speech!.logits.data, face: branches.face!.logits.data, text: branches.text!.logits.data };
  };
  const [mine, other] = [randomInputs(1, 4, 5), randomInputs(2, 4, 5)];
  const before = logits(mine);
  for (const changed of ['speech', 'face', 'text'] as const) {
    const after = logits({ ...mine, [changed]: other[changed] });
    for (const modality of ['speech', 'face', 'text'] as const) {
      if (modality === changed) expect(after[modality]).not.toEqual(before[modality]);
      else expect(after[modality]).toEqual(before[modality]);
    }
  }
  predictor.dispose();
});
