import fsp from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256File } from '../../../common/files.js';
import { PROJECT_ROOT } from '../../../common/paths.js';
import type { StateDict } from '../../../common/safetensors.js';
import { BRANCH_PREFIX } from '../../../models/multimodal.js';
import type { ModelSpec } from '../../../models/spec.js';
import { readCheckpoint } from '../../../training/checkpoint.js';
import { importWeights } from '../../../training/weights/import-weights.js';
import { readWeights } from '../../../training/weights/read-weights.js';
import { SMALL_SPEC, sameBytes, writeReferenceFile } from '../../helpers/reference-files.js';
import { inTemporaryFolder } from '../../helpers/temporary-folder.js';

const GOLDEN = path.join(PROJECT_ROOT, 'test', 'golden');

/** Imports a file of `spec`'s network and reads the checkpoint that came of it. */
function imported(
  spec: ModelSpec,
  options: Partial<Parameters<typeof importWeights>[0]> = {},
  change?: (state: StateDict) => StateDict,
) {
  return inTemporaryFolder(async (folder) => {
    const [file, out] = [path.join(folder, 'given.safetensors'), path.join(folder, 'made.safetensors')];
    const state = await writeReferenceFile(file, spec, change);
    await importWeights({ file, out, textHeads: spec.textHeads, ...options });
    return { state, checkpoint: await readCheckpoint(out), file, sha256: await sha256File(file) };
  });
}

/** Text has one layer, so the heads must be said; the others do not take the flag into account. */
const REFERENCE_TEXT = { textLayers: 12, textHeads: 8 } as const;

describe('a state dict of the reference becomes a checkpoint', () => {
  test.each([
    ['speech', { ...SMALL_SPEC, ...REFERENCE_TEXT, mode: 'speech' }],
    ['face', { ...SMALL_SPEC, ...REFERENCE_TEXT, mode: 'face', fan: 'relation' }],
    ['text', { ...SMALL_SPEC, mode: 'text' }],
    ['multimodal', SMALL_SPEC],
  ] as const)('%s: network and tensors are those of the file', async (mode, spec) => {
    const { state, checkpoint } = await imported(spec);
    const { compat, textHeads, fan, fusion } = checkpoint.spec;
    expect({ mode: checkpoint.spec.mode, compat, textHeads, fan, fusion }).toEqual({
      mode,
      compat: 'seed',
      textHeads: spec.textHeads,
      fan: spec.fan,
      fusion: 'concat',
    });
    if (mode !== 'text' && mode !== 'face') expect(checkpoint.spec.speechCoefficient).toBe('tiny');
    if (mode !== 'text' && mode !== 'speech') expect(checkpoint.spec.faceCoefficient).toBe('tiny');
    expect([...checkpoint.state.keys()].sort()).toEqual([...state.keys()].sort());
    for (const [name, { data }] of state) expect(sameBytes(checkpoint.state.get(name)!.data, data), name).toBe(true);
  });

  test('it says that it was imported, from which file, and claims no accuracy', async () => {
    const { checkpoint, file, sha256 } = await imported({ ...SMALL_SPEC, mode: 'text' });
    expect(checkpoint).toMatchObject({
      epoch: 0,
      metrics: {},
      config: {},
      origins: { text: { imported: { file, sha256 } } },
    });
  });

  test('names of a data-parallel network lose their prefix', async () => {
    const parallel = (state: StateDict): StateDict =>
      new Map([...state].map(([name, value]) => [`module.${name}`, value]));
    const { state, checkpoint } = await imported({ ...SMALL_SPEC, mode: 'text' }, {}, parallel);
    expect([...checkpoint.state.keys()].sort()).toEqual([...state.keys()].sort());
  });

  test('one branch can be taken out of a multimodal file', async () => {
    const { state, checkpoint } = await imported(SMALL_SPEC, { mode: 'face' });
    expect(checkpoint.spec.mode).toBe('face');
    const name = 'out.encoder.weight_ih_l0';
    expect(sameBytes(checkpoint.state.get(name)!.data, state.get(BRANCH_PREFIX.face + name)!.data)).toBe(true);
  });

  test('with --compat default it is one to train on from in that mode', async () => {
    const { checkpoint } = await imported({ ...SMALL_SPEC, mode: 'text' }, { compat: 'default' });
    expect(checkpoint.spec).toMatchObject({ compat: 'default', maxWords: 128 });
  });
});

describe('what is not one of the four networks is refused', () => {
  const text: ModelSpec = { ...SMALL_SPEC, mode: 'text' };

  test('attention heads are asked for where the reference does not settle them', async () => {
    await expect(imported(text, { textHeads: undefined })).rejects.toMatchObject({
      code: 'bad_argument',
      remedy: expect.stringContaining('--text_heads N'),
    });
  });

  test('a missing tensor is named', async () => {
    const without = (state: StateDict): StateDict => new Map([...state].filter(([name]) => name !== 'out.bias'));
    await expect(imported(text, {}, without)).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringContaining('tensor out.bias is missing'),
    });
  });

  test('a tensor that no network has is named', async () => {
    const extra = (state: StateDict): StateDict => new Map([...state, ['head.bias', state.get('out.bias')!]]);
    await expect(imported(text, {}, extra)).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringContaining('tensor head.bias has no place'),
    });
  });

  test('a PyTorch file of another network is read, and refused by its names', async () => {
    const file = path.join(GOLDEN, 'checkpoint-legacy.pt');
    expect([...(await readWeights(file)).tensors.keys()]).toContain('fc.weight');
    await expect(importWeights({ file, out: 'never.safetensors' })).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringContaining('holds neither one of the four networks nor an EfficientNet'),
    });
  });

  test('a hostile pickle is refused and not executed', () =>
    inTemporaryFolder(async (folder) => {
      const [file, proof] = [path.join(folder, 'weights.pth'), path.join(folder, 'owned')];
      await fsp.writeFile(file, `cposix\nsystem\n(Vtouch ${proof}\ntR.`);
      await expect(importWeights({ file, out: path.join(folder, 'out.safetensors') })).rejects.toMatchObject({
        code: 'bad_file',
        message: expect.stringContaining('posix.system'),
      });
      expect(await fsp.readdir(folder)).toEqual(['weights.pth']);
    }));

  test('a checkpoint of this program needs no import', () =>
    inTemporaryFolder(async (folder) => {
      const [file, out] = [path.join(folder, 'given.safetensors'), path.join(folder, 'made.safetensors')];
      await writeReferenceFile(file, text);
      await importWeights({ file, out, textHeads: 4 });
      await expect(importWeights({ file: out, out: file })).rejects.toMatchObject({ code: 'bad_argument' });
    }));
});
