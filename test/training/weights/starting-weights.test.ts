import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256File } from '../../../common/files.js';
import { type StateDict, writeSafetensors } from '../../../common/safetensors.js';
import { networkParameters } from '../../../models/parameters.js';
import type { ModelSpec } from '../../../models/spec.js';
import { type TrainFlags, trainConfigSchema } from '../../../training/config.js';
import { describeStart, loadStartingWeights, randomState } from '../../../training/initial-state.js';
import { importWeights } from '../../../training/weights/import-weights.js';
import { backboneState, SMALL_SPEC, sameBytes, writeReferenceFile } from '../../helpers/reference-files.js';
import { inTemporaryFolder } from '../../helpers/temporary-folder.js';

const speech: ModelSpec = { ...SMALL_SPEC, mode: 'speech' };
const face: ModelSpec = { ...SMALL_SPEC, mode: 'face' };
const STEM = '_conv_stem.weight';

/** Starting weights of `spec` with `flags` and a file of EfficientNet weights. */
function startOnBackbone(spec: ModelSpec, flags: Partial<TrainFlags> = {}, given: StateDict = backboneState()) {
  return inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'efficientnet.safetensors');
    await writeSafetensors(file, given);
    const state = randomState(networkParameters(spec), 1);
    const random = new Map(state);
    const config = trainConfigSchema.parse({ mode: spec.mode, compat: 'seed', backbone_weights: file, ...flags });
    const origins = await loadStartingWeights(state, spec, config, null);
    return { given, state, random, origins, file, sha256: await sha256File(file) };
  });
}

describe('--backbone_weights', () => {
  test('gives the face network every tensor of its EfficientNet and leaves the rest random', async () => {
    const { given, state, random, origins, file, sha256 } = await startOnBackbone(face);
    for (const [name, { data }] of state) {
      const own = name.replace('backbone_model.', '');
      expect(sameBytes(data, (name === own ? random.get(name) : given.get(own))!.data), name).toBe(true);
    }
    expect(origins).toEqual({ face: { backbone: { file, sha256 } } });
  });

  test('averages the first filters over RGB for the speech network', async () => {
    const { given, state, origins } = await startOnBackbone(speech, { backbone_stem: 'average' });
    const rgb = given.get(STEM)!.data;
    const [first] = state.get(`model.${STEM}`)!.data;
    // Rows of the file: filter, channel, then 9 numbers. One rounding to float32.
    expect(first).toBeCloseTo((Number(rgb[0]) + Number(rgb[9]) + Number(rgb[18])) / 3, 7);
    expect(sameBytes(state.get('model._conv_head.weight')!.data, given.get('_conv_head.weight')!.data)).toBe(true);
    expect(origins.speech?.backbone?.stem).toBe('average');
  });

  test('or leaves them random', async () => {
    const { state, random } = await startOnBackbone(speech, { backbone_stem: 'random' });
    expect(state.get(`model.${STEM}`)).toBe(random.get(`model.${STEM}`));
  });

  test('names the tensor and both shapes when the file is of another EfficientNet, and says of which', async () => {
    await expect(startOnBackbone({ ...face, faceCoefficient: '0' })).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringMatching(/tensor _conv_stem.weight is \(\d+,3,3,3\), \(32,3,3,3\) is needed/),
      remedy: expect.stringContaining('--face_coeff tiny'),
    });
  });

  test('is refused in mode text, where nothing takes it', async () => {
    await expect(startOnBackbone({ ...SMALL_SPEC, mode: 'text' })).rejects.toMatchObject({ code: 'bad_argument' });
  });

  test('fills only the branches of a multimodal network that no checkpoint filled', () =>
    inTemporaryFolder(async (folder) => {
      const [given, checkpoint] = [path.join(folder, 'given.safetensors'), path.join(folder, 'speech.safetensors')];
      await writeReferenceFile(given, speech);
      await importWeights({ file: given, out: checkpoint });
      const { state, random, origins } = await startOnBackbone(SMALL_SPEC, { speech_load_weights: checkpoint });
      expect(origins.speech?.checkpoint?.file).toBe(checkpoint);
      expect(origins.speech?.imported?.file).toBe(given);
      expect(origins.face?.backbone).toBeDefined();
      const name = 'text_model.out.weight';
      expect(state.get(name)).toBe(random.get(name));
    }));
});

describe('a checkpoint that shapes do not tell apart', () => {
  async function startOnText(flags: Partial<TrainFlags>, spec: Partial<ModelSpec>) {
    return inTemporaryFolder(async (folder) => {
      const [given, checkpoint] = [path.join(folder, 'given.safetensors'), path.join(folder, 'text.safetensors')];
      const text: ModelSpec = { ...SMALL_SPEC, mode: 'text' };
      await writeReferenceFile(given, text);
      await importWeights({ file: given, out: checkpoint, textHeads: 4 });
      const config = trainConfigSchema.parse({ mode: 'text', text_load_weights: checkpoint, ...flags });
      const wanted = { ...text, ...spec };
      return loadStartingWeights(randomState(networkParameters(wanted), 1), wanted, config, null);
    });
  }

  test('of the other compat mode is refused, naming both', async () => {
    await expect(startOnText({}, { compat: 'default' })).rejects.toMatchObject({
      message: expect.stringMatching(/--compat seed, this run has --compat default/),
    });
  });

  test('of other attention heads is refused, naming both', async () => {
    await expect(startOnText({}, { textHeads: 8 })).rejects.toMatchObject({
      message: expect.stringMatching(/4 attention heads, this run has --text_heads 8/),
    });
  });
});

describe('the log of a start', () => {
  const b0: ModelSpec = { ...SMALL_SPEC, speechCoefficient: '0', faceCoefficient: '0' };

  test('warns once when EfficientNets start from random weights', () => {
    expect(describeStart(b0, { speech: {}, face: {}, text: {} })).toEqual([
      expect.stringMatching(/^warning: EfficientNets \(speech, face\) .*random weights.*ImageNet.*--backbone_weights/),
    ]);
  });

  test('warns when a checkpoint that it starts from began so', () => {
    const checkpoint = { file: 'face.safetensors', sha256: 'a'.repeat(64) };
    const lines = describeStart({ ...b0, mode: 'face' }, { face: { checkpoint } });
    expect(lines[0]).toContain('face starts from checkpoint face.safetensors');
    expect(lines[1]).toMatch(/^warning/);
  });

  test('names the file and its hash, and warns of nothing, when they start from weights', () => {
    const backbone = { file: 'efficientnet-b0.pth', sha256: 'b'.repeat(64) };
    expect(describeStart({ ...b0, mode: 'face' }, { face: { backbone } })).toEqual([
      `face starts from EfficientNet weights efficientnet-b0.pth (sha256 ${'b'.repeat(64)})`,
    ]);
  });

  test('does not warn of the tiny network, which has no weights to start from', () => {
    expect(describeStart(face, { face: {} })).toEqual([]);
  });
});
