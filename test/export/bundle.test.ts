import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bundle } from '../../common/bundle.js';
import { readBundle, verifyBundle } from '../../common/bundle-files.js';
import { exportBundle } from '../../export/bundle.js';
import { modelCard } from '../../export/model-card.js';
import type { ModelSpec } from '../../models/spec.js';
import type { ModelInputs } from '../../preprocessing/model-inputs.js';
import { Network } from '../../serving/engine/network.js';
import { scoreViews } from '../../serving/engine/score-views.js';
import { type ScoredViews, wholeClip } from '../../serving/engine/scoring.js';
import { writeCheckpoint } from '../../training/checkpoint.js';
import type { Origins } from '../../training/weights/origin.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

const WORD_TABLE = 'a1'.repeat(32);
const METRICS = { clips: 120, accuracy: 0.625, macroF1: 0.5, nll: 1.25 };

/** A run's folder with one best checkpoint, as training leaves it. */
async function makeRun(directory: string, spec: ModelSpec = TINY_SPEC, state = tinyState(spec)): Promise<string> {
  const run = path.join(directory, 'run');
  await writeCheckpoint(path.join(run, '1_best_1.2500.safetensors'), state, {
    spec,
    config: { mode: spec.mode, exp_name: 'run' },
    maxFrames: 12,
    subject: 'center',
    wordTable: WORD_TABLE,
    epoch: 1,
    origins: {},
    metrics: { inte: METRICS, speech: METRICS },
  });
  return run;
}

let directory: string;
let run: string;
let out: string;
let written: Bundle;

beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  run = await makeRun(directory);
  out = path.join(directory, 'bundles', 'mine');
  written = await exportBundle({ run, out });
});

afterAll(() => fsp.rm(directory, { recursive: true, force: true }));

test('a run becomes a bundle whose files are those that bundle.json names', async () => {
  expect(await verifyBundle(out)).toEqual(written);
  expect(written).toMatchObject({
    name: 'mine',
    compat: 'default',
    preprocessing: { maxFrames: 12, subject: 'center', faceSize: 56, wordDim: 24, maxWords: 40, wordTable: WORD_TABLE },
    metrics: { inte: METRICS },
    training: { exp_name: 'run', epoch: 1, checkpoint: '1_best_1.2500.safetensors' },
  });
  const nets = ['speech', 'face', 'text', 'multimodal', 'pnet', 'rnet', 'onet'].map((name) => `${name}.onnx`);
  expect((await fsp.readdir(out)).sort()).toEqual(
    ['MODEL_CARD.md', 'bundle.json', 'self-test.safetensors', ...nets].sort(),
  );
  expect(await fsp.readdir(path.dirname(out))).toEqual(['mine']);
});

test('the model card tells accuracy, parity, limits and licences', async () => {
  const card = await fsp.readFile(path.join(out, 'MODEL_CARD.md'), 'utf8');
  expect(card).toMatch(/^# mine\n/);
  expect(card).toContain(WORD_TABLE);
  expect(card).toContain('| fused, all that a clip has | 120 | 0.625 | 0.536 to 0.706 | 0.500 | 1.250 | – |');
  expect(card).toContain('within 0.0001 * max(1, |logit|)');
  expect(card).toContain('without telling them');
  expect(card).toContain('Copyright (c) 2019 Timothy Esler');
  expect(card).not.toContain('undefined');
});

const cardOf = (bundle: Bundle, checkpoint: { spec: ModelSpec; origins: Origins }) =>
  modelCard({ bundle, checkpoint: { ...checkpoint, config: {} }, measured: 'no features', command: 'mer export' });

test('the model card says where the weights began, and where the reference begins better', async () => {
  const spec: ModelSpec = { ...TINY_SPEC, speechCoefficient: '0', faceCoefficient: '0' };
  const file = { file: 'weights/efficientnet-b0.pth', sha256: 'b'.repeat(64) };
  const card = await cardOf(written, { spec, origins: { speech: { backbone: file }, face: {} } });
  expect(card).toContain(`- speech: EfficientNet weights efficientnet-b0.pth (sha256 ${file.sha256})\n`);
  expect(card).toContain('- face: random weights (the reference starts its EfficientNet from ImageNet)\n');
  expect(card).toContain('- text: not recorded\n');
});

test('the model card of imported weights claims no accuracy', async () => {
  const imported = { imported: { file: 'reference.pth', sha256: 'c'.repeat(64) } };
  const card = await cardOf({ ...written, metrics: {} }, { spec: TINY_SPEC, origins: { text: imported } });
  expect(card).toContain('Not measured: no features.');
  expect(card).toContain(`- text: weights of the reference, reference.pth (sha256 ${'c'.repeat(64)})\n`);
});

test('an export that fails leaves the bundle that was there', async () => {
  const state = tinyState();
  // Not a number: training went wrong, and the gate does not let it pass.
  state.get('multimodal_out.bias')!.data[0] = Number.NaN;
  const broken = await makeRun(path.join(directory, 'broken'), TINY_SPEC, state);
  await expect(exportBundle({ run: broken, out })).rejects.toMatchObject({ code: 'parity_failed' });
  expect(await verifyBundle(out)).toEqual(written);
  expect(await fsp.readdir(path.dirname(out))).toEqual(['mine']);
});

test('the same weights have the same version, whatever the bundle is called', async () => {
  const { name, version } = await exportBundle({ run, out: path.join(directory, 'again'), name: 'other' });
  expect({ name, version }).toEqual({ name: 'other', version: written.version });
});

test('a bundle is replaced by that of another run', async () => {
  const replaced = path.join(directory, 'again');
  const other = await makeRun(path.join(directory, 'other'), { ...TINY_SPEC, fan: 'relation' });
  const { version } = await exportBundle({ run: other, out: replaced });
  expect(version).not.toBe(written.version);
  expect((await verifyBundle(replaced)).version).toBe(version);
});

test('a folder that is no bundle is not replaced', async () => {
  const precious = path.join(directory, 'precious');
  await fsp.mkdir(precious);
  await fsp.writeFile(path.join(precious, 'thesis.txt'), 'three years');
  await expect(exportBundle({ run, out: precious })).rejects.toMatchObject({ code: 'bad_argument' });
  expect(await fsp.readdir(precious)).toEqual(['thesis.txt']);
});

describe('what a bundle may consist of', () => {
  test('a unimodal run becomes a bundle of its own', async () => {
    const text = await makeRun(path.join(directory, 'text'), { ...TINY_SPEC, mode: 'text' });
    const own = path.join(directory, 'unimodal');
    const bundle = await exportBundle({ run: text, out: own });
    expect(Object.keys(bundle.branches)).toEqual(['text']);
    expect(bundle.fusion).toBeUndefined();
    expect(await verifyBundle(own)).toEqual(bundle);
    const [scores] = await scoresOf(own, [{ speech: null, face: null, text: WORDS }]);
    expect(scores!.combinations[0]).toEqual({ text: scores!.views.text[0]!.logits });
  });

  test('a branch that is left out is missing, and the others are answered as without it', async () => {
    const partial = path.join(directory, 'partial');
    const bundle = await exportBundle({ run, out: partial, without: ['speech', 'face'] });
    expect(Object.keys(bundle.branches)).toEqual(['text']);
    expect(bundle.version).not.toBe(written.version);
    const [found] = await scoresOf(partial, [{ speech: null, face: null, text: WORDS }]);
    const [expected] = await scoresOf(out, [{ speech: null, face: null, text: WORDS }]);
    expect(found).toEqual(expected);
  });

  test('nothing is left when every branch is left out', async () => {
    const nothing = exportBundle({ run, out: path.join(directory, 'none'), without: ['speech', 'face', 'text'] });
    await expect(nothing).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringContaining('no branch'),
    });
  });

  test('one graph of all stands beside the others and in bundle.json', async () => {
    const single = path.join(directory, 'single');
    const bundle = await exportBundle({ run, out: single, single: true });
    expect(bundle.single?.file).toBe('single.onnx');
    expect(await verifyBundle(single)).toEqual(bundle);
    expect(bundle.single!.bytes).toBeGreaterThan(bundle.branches.speech!.bytes + bundle.branches.face!.bytes);
  });
});

const WORDS = { data: Float32Array.from({ length: 5 * TINY_SPEC.wordDim }, (_, i) => Math.sin(i)), length: 5 };

async function scoresOf(bundleDir: string, clips: ModelInputs[]): Promise<ScoredViews[]> {
  const network = await Network.create(bundleDir, await readBundle(bundleDir), 'cpu', 1);
  const scores = await scoreViews(network, clips.map(wholeClip));
  await network.dispose();
  return scores;
}
