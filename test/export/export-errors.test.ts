import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StateDict } from '../../common/safetensors.js';
import { readSource } from '../../export/export-source.js';
import { BRANCH_PREFIX } from '../../models/multimodal.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import { writeCheckpoint } from '../../training/checkpoint.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

const METRICS = { clips: 120, accuracy: 0.625, macroF1: 0.5, nll: 1.25 };

let directory: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
});
afterAll(() => fsp.rm(directory, { recursive: true }));

async function checkpoint(name: string, spec: ModelSpec, state: StateDict = tinyState(spec)): Promise<string> {
  const file = path.join(directory, `${name}.safetensors`);
  await writeCheckpoint(file, state, {
    ...{ spec, config: {}, maxFrames: 12, wordTable: null, epoch: 1, origins: {} },
    metrics: { inte: METRICS, face: METRICS },
  });
  return file;
}

/** The command as a user runs it: one line of error, one of remedy, and nothing else left behind. */
async function runExport(args: readonly string[], prefix: readonly string[] = [], env: Record<string, string> = {}) {
  const mer = ['--import', 'tsx', path.resolve('test/helpers/mer.ts'), 'export', ...args];
  const [program, ...rest] = [...prefix, process.execPath, ...mer];
  try {
    await promisify(execFile)(program!, rest, { env: { ...process.env, ...env } });
    return { code: 0, stderr: '' };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, stderr };
  }
}

describe('what is exported', () => {
  test('is the whole network, with the branches of other checkpoints in their places', async () => {
    const face: ModelSpec = { ...TINY_SPEC, mode: 'face' };
    const other = tinyState(face);
    other.get('out.out.bias')!.data[0] = 9;
    const weights = {
      multimodal: await checkpoint('whole', TINY_SPEC),
      face: await checkpoint('face', face, other),
    };
    const { state, spec, metrics } = await readSource({ weights });
    expect(spec).toEqual(TINY_SPEC);
    expect(state.get(`${BRANCH_PREFIX.face}out.out.bias`)!.data[0]).toBe(9);
    expect(state.get('multimodal_out.bias')).toEqual(tinyState().get('multimodal_out.bias'));
    // The fused accuracy was that of the other branch; the face's own is the new one's.
    expect(metrics).toEqual({ face: METRICS });
  });

  test('keeps its figures when the branches given are its own', async () => {
    const face: ModelSpec = { ...TINY_SPEC, mode: 'face' };
    const whole = tinyState();
    const own: StateDict = new Map();
    for (const { name } of networkParameters(face)) own.set(name, whole.get(BRANCH_PREFIX.face + name)!);
    const weights = { multimodal: await checkpoint('whole2', TINY_SPEC), face: await checkpoint('own', face, own) };
    expect((await readSource({ weights })).metrics).toMatchObject({ inte: METRICS });
  });

  test('is one unimodal checkpoint when only that is given', async () => {
    const text = await checkpoint('text', { ...TINY_SPEC, mode: 'text' });
    expect((await readSource({ weights: { text } })).spec.mode).toBe('text');
  });
});

describe('is refused in words that name both sides:', () => {
  test.each([
    ['compat', { compat: 'seed', wordDim: 200, maxWords: 38 }, /compat seed.*compat default/],
    ['width of the words', { wordDim: 30 }, /wordDim 30.*wordDim 24/],
    ['layers', { textLayers: 2 }, /textLayers 2.*textLayers 1/],
  ] as const)('checkpoints that differ in %s', async (name, difference, message) => {
    const text = await checkpoint(`other-${name}`, { ...TINY_SPEC, ...difference, mode: 'text' });
    const weights = { multimodal: await checkpoint(`whole-${name}`, TINY_SPEC), text };
    await expect(readSource({ weights })).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringMatching(message),
    });
  });

  test('a checkpoint of another mode than its flag', async () => {
    const speech = await checkpoint('text2', { ...TINY_SPEC, mode: 'text' });
    await expect(readSource({ weights: { speech } })).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringContaining('is a text checkpoint'),
    });
  });

  test('several branches without their fusion, and nothing at all', async () => {
    const speech = await checkpoint('speech3', { ...TINY_SPEC, mode: 'speech' });
    const text = await checkpoint('text3', { ...TINY_SPEC, mode: 'text' });
    await expect(readSource({ weights: { speech, text } })).rejects.toMatchObject({ code: 'bad_argument' });
    await expect(readSource({})).rejects.toMatchObject({ code: 'bad_argument' });
    await expect(readSource({ run: speech, weights: { text } })).rejects.toMatchObject({ code: 'bad_argument' });
  });

  test('other classes than the seven', async () => {
    const state = tinyState({ ...TINY_SPEC, mode: 'text' });
    state.set('out.weight', { dtype: 'F32', shape: [5, 200], data: new Float32Array(1000) });
    state.set('out.bias', { dtype: 'F32', shape: [5], data: new Float32Array(5) });
    const text = await checkpoint('five', { ...TINY_SPEC, mode: 'text' }, state);
    await expect(readSource({ weights: { text } })).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringContaining('tells 5 classes apart'),
    });
  });
});

describe('the command ends with one clear line and leaves nothing half-written', () => {
  test.each([
    ['a checkpoint that is not there', ['--run', 'nowhere'], {}, /^error \(not_found\): nowhere does not exist\.$/m],
    [
      'the private Python is absent',
      [],
      { MER_HOME: '/nonexistent' },
      /^error \(missing_part\): .*Python.*\n {2}Run `npm run setup/m,
    ],
  ] as const)('%s', async (_, given, env, message) => {
    const args = given.length > 0 ? given : ['--run', await checkpoint('good', { ...TINY_SPEC, mode: 'text' })];
    const out = path.join(directory, 'out', 'bundle');
    const { code, stderr } = await runExport([...args, '--out', out], [], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(await fsp.readdir(path.dirname(out)).catch(() => [])).toEqual([]);
  });

  test('the disk is full', async () => {
    const run = await checkpoint('big', { ...TINY_SPEC, mode: 'text' });
    const out = path.join(directory, 'full', 'bundle');
    // No file may grow beyond a megabyte, which a full disk looks like to a program; the signal of it is ignored.
    const limited = ['bash', '-c', 'trap "" XFSZ; ulimit -f 1024; exec "$0" "$@"'];
    const { code, stderr } = await runExport(['--run', run, '--out', out], limited);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error \(disk_full\): There is no room left to write: .*\n {2}Free some space/m);
    expect(await fsp.readdir(path.dirname(out))).toEqual([]);
  });
});
