import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { networkParameters, parameterCount } from '../../models/parameters.js';
import { type ModelSpec, modelSpecSchema } from '../../models/spec.js';

const goldenSchema = z.record(z.string(), z.looseObject({ params: z.number() }));
const golden = await readJson(path.join(import.meta.dirname, '../golden/param_counts.json'), goldenSchema);

/** The reference's text model keeps a layer that it never uses: the template of its encoder's layers. */
const UNUSED_TEXT_LAYER = 983_048;

function count(spec: Partial<ModelSpec>): number {
  const full = modelSpecSchema.parse({
    mode: 'speech',
    compat: 'default',
    speechCoefficient: '4',
    faceCoefficient: '0',
    faceSize: 224,
    textLayers: 12,
    textHeads: 8,
    wordDim: 200,
    maxWords: 128,
    fan: 'self',
    fusion: 'concat',
    ...spec,
  });
  return parameterCount(networkParameters(full));
}

describe('parameter counts are those of the reference', () => {
  test.each([
    ['AttnCNN-B0', { mode: 'speech', speechCoefficient: '0' }, 0],
    ['AttnCNN-B4', { mode: 'speech', speechCoefficient: '4' }, 0],
    ['AttnCNN-B7', { mode: 'speech', speechCoefficient: '7' }, 0],
    ['CLSTM-B0', { mode: 'face' }, 0],
    ['CLSTM-B1', { mode: 'face', faceCoefficient: '1' }, 0],
    ['text 12L8H', { mode: 'text' }, UNUSED_TEXT_LAYER],
    ['text 3L4H (default)', { mode: 'text', textLayers: 3, textHeads: 4 }, UNUSED_TEXT_LAYER],
    ['multimodal B4+B0+T', { mode: 'multimodal' }, UNUSED_TEXT_LAYER],
    ['multimodal B7+B1+T', { mode: 'multimodal', speechCoefficient: '7', faceCoefficient: '1' }, UNUSED_TEXT_LAYER],
  ] as const)('%s', (name, spec, unused) => {
    expect(count(spec) + unused).toBe(golden[name]!.params);
  });

  test('no name comes twice', () => {
    const names = networkParameters(
      modelSpecSchema.parse({
        mode: 'multimodal',
        compat: 'default',
        speechCoefficient: 'tiny',
        faceCoefficient: 'tiny',
        faceSize: 56,
        textLayers: 2,
        textHeads: 8,
        wordDim: 200,
        maxWords: 128,
        fan: 'relation',
        fusion: 'gated',
      }),
    ).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
