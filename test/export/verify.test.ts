import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { BUNDLE_FILE, type Bundle } from '../../common/bundle.js';
import { readBundle } from '../../common/bundle-files.js';
import { sha256File, writeJsonAtomic } from '../../common/files.js';
import { buildModels } from '../../export/build-models.js';
import { describeBundleText } from '../../export/inspect.js';
import { modelSources } from '../../export/model-sources.js';
import { verify } from '../../export/verify.js';
import { networkParameters } from '../../models/parameters.js';
import { formulaState } from '../helpers/golden-weights.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';
import { TINY_SPEC } from '../helpers/tiny-model.js';

let parent: string;
let directory: string;
let bundle: Bundle;

beforeAll(async () => {
  parent = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  directory = path.join(parent, 'bundle');
});
beforeEach(async () => {
  await fsp.rm(directory, { recursive: true, force: true });
  await fsp.cp(await tinyBundle(), directory, { recursive: true });
  bundle = await readBundle(directory);
});
afterAll(() => fsp.rm(parent, { recursive: true }));

async function failures(): Promise<string[]> {
  const { checks } = await verify(directory);
  return checks.filter(({ passed }) => !passed).map(({ file, kind }) => `${file} ${kind}`);
}

test('an untouched bundle passes: every file, and every graph on its stored inputs', async () => {
  const { checks } = await verify(directory);
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  const graphs = ['speech.onnx', 'face.onnx', 'text.onnx', 'multimodal.onnx'];
  expect(checks.filter(({ kind }) => kind === 'self-test').map(({ file }) => file)).toEqual(graphs);
  expect(checks.map(({ file }) => file)).toEqual(expect.arrayContaining(['pnet.onnx', 'rnet.onnx', 'onet.onnx']));
});

test('the inputs and outputs of the self-test stay under two megabytes', () => {
  expect(bundle.selfTest!.bytes).toBeLessThan(2e6);
});

test('one changed byte of a file is found', async () => {
  const file = path.join(directory, 'rnet.onnx');
  const content = await fsp.readFile(file);
  content[1000]! ^= 1;
  await fsp.writeFile(file, content);
  expect(await failures()).toEqual(['rnet.onnx sha256']);
});

test('a file that is missing is found', async () => {
  await fsp.rm(path.join(directory, 'text.onnx'));
  expect(await failures()).toEqual(['text.onnx sha256']);
});

test('other weights are found although bundle.json names their hash', async () => {
  const state = formulaState(networkParameters(TINY_SPEC));
  state.get('text_model.out.bias')!.data[0] = 3;
  const { text } = modelSources({ spec: TINY_SPEC, state }, 'tiny');
  const other = path.join(parent, 'other');
  await fsp.mkdir(other);
  await buildModels({ text: text! }, other, 'test');
  const file = path.join(directory, 'text.onnx');
  await fsp.copyFile(path.join(other, 'text.onnx'), file);
  const described = { sha256: await sha256File(file), bytes: (await fsp.stat(file)).size };
  const branches = { ...bundle.branches, text: { ...bundle.branches.text!, ...described } };
  await writeJsonAtomic(path.join(directory, BUNDLE_FILE), { ...bundle, branches });
  expect(await failures()).toEqual(['text.onnx self-test']);
});

test('what a bundle consists of can be read without running it', () => {
  const text = describeBundleText(bundle);
  expect(text).toContain('precision fp32, compat default, ONNX opset 23');
  expect(text).toContain('in   frames uint8 (batch, frames, 56, 56, 3), lengths int32 (batch), gain float32 (1)');
  expect(text).toMatch(/^text\.onnx +[\d.]+ +\d+ +[\d.]+ +\d+$/m);
  expect(text).toContain('MACs of one run at batch 1, time 400, frames 8, words 40');
});

test('MACs are those of the layers', () => {
  // 40 words: a projection from 24, then input and output projections, scores and sums, and the feed-forward layers.
  const [words, width] = [40, 200];
  const perWord = 24 * width + 4 * width * width + 2 * words * width + 2 * width * 2048;
  expect(bundle.inventory!.graphs.text!.macs).toBe(words * perWord + width * 7);
});
