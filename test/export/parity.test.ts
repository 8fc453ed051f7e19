import { describe, expect, test } from 'vitest';
import { MODALITIES, type Modality } from '../../common/labels.js';
import type { StateDict } from '../../common/safetensors.js';
import { buildModels } from '../../export/build-models.js';
import { largestError } from '../../export/largest-error.js';
import { modelSources } from '../../export/model-sources.js';
import { checkParity, PARITY_TOLERANCE } from '../../export/parity.js';
import type { ModelSpec } from '../../models/spec.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

/** Exports `exported` and compares it with TensorFlow on the formula's weights. */
function parityOf(spec: ModelSpec, exported: StateDict = tinyState(spec), parts?: Parameters<typeof modelSources>[2]) {
  const state = tinyState(spec);
  return inTemporaryFolder(async (directory) => {
    await buildModels(modelSources({ spec, state: exported }, 'test', parts), directory, 'test');
    return checkParity({ spec, state, file: 'test' }, directory, parts?.modalities ?? modalitiesOf(spec));
  });
}

function modalitiesOf({ mode }: ModelSpec): readonly Modality[] {
  return mode === 'multimodal' ? MODALITIES : [mode];
}

describe('the parity gate', () => {
  test.each([
    ['self attention, gated fusion, projected words', TINY_SPEC],
    [
      'relation attention, concatenating fusion, words of 200',
      { ...TINY_SPEC, fan: 'relation', fusion: 'concat', wordDim: 200 },
    ],
    ['compat seed', { ...TINY_SPEC, compat: 'seed', fusion: 'concat', wordDim: 200, maxWords: 38 }],
    ['speech alone', { ...TINY_SPEC, mode: 'speech' }],
    ['face alone', { ...TINY_SPEC, mode: 'face' }],
    ['words alone', { ...TINY_SPEC, mode: 'text' }],
  ] as const)('lets a true export pass: %s', async (_, spec) => {
    const report = await parityOf(spec);
    expect(report).toMatchObject({ tolerance: PARITY_TOLERANCE, sizes: 3 });
    expect(report.maxError).toBeLessThan(PARITY_TOLERANCE);
  });

  test.each([
    ['gated', MODALITIES],
    ['gated', ['speech', 'text']],
    ['concat', ['face']],
  ] as const)('lets branches and fusion in one graph pass: %s, %s', async (fusion, modalities) => {
    const spec = { ...TINY_SPEC, fusion };
    const report = await parityOf(spec, tinyState(spec), { modalities, fusion: true, single: true });
    expect(report.maxError).toBeLessThan(PARITY_TOLERANCE);
  });

  test('refuses a single graph that differs where the separate files do not', async () => {
    const state = tinyState();
    const wrong = tinyState();
    wrong.get('face_model.out.out.bias')!.data[0] = 3;
    await inTemporaryFolder(async (directory) => {
      const parts = { modalities: MODALITIES, fusion: true, single: true };
      const { single } = modelSources({ spec: TINY_SPEC, state: wrong }, 'test', parts);
      const rest = modelSources({ spec: TINY_SPEC, state }, 'test');
      await buildModels({ ...rest, single: single! }, directory, 'test');
      await expect(checkParity({ spec: TINY_SPEC, state, file: 'test' }, directory)).rejects.toMatchObject({
        code: 'parity_failed',
        message: expect.stringContaining('face logits of the single file'),
      });
    });
  });

  test.each([
    'speech_model.out.attention.l1.weight',
    'face_model.backbone_model._conv_stem.weight',
    'fusion.missing.text',
  ])('refuses when one value of %s is another', async (name) => {
    const exported = tinyState();
    exported.get(name)!.data[0] = 3;
    await expect(parityOf(TINY_SPEC, exported)).rejects.toMatchObject({ code: 'parity_failed' });
  });
});

test('a logit that is not a number is never equal', () => {
  expect(largestError(Float32Array.of(1, 2), Float32Array.of(1, Number.NaN))).toBe(Number.POSITIVE_INFINITY);
});

test('large logits are compared relatively, small ones absolutely', () => {
  expect(largestError(Float32Array.of(100), Float32Array.of(101))).toBeCloseTo(0.01);
  expect(largestError(Float32Array.of(0.01), Float32Array.of(0.02))).toBeCloseTo(0.01);
});
