import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Bundle } from '../../common/bundle.js';
import { readBundle } from '../../common/bundle-files.js';
import { Ensemble } from '../../evaluation/ensemble.js';
import { type ClipFeatures, CROP_SIZE, MEL_BANDS } from '../../preprocessing/features.js';
import { evaluationInputs, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import { randomFeatures } from '../helpers/test-set-features.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

/**
 * The same probabilities computed apart from engine and ensemble: the ONNX files run one variant at a time, and the
 * averages are written out. Float32 sums of a batch and of a single clip differ in the last bits.
 */
const TOLERANCE = 1e-5;

const bundles: Record<string, { directory: string; bundle: Bundle; graphs: Record<string, InferenceSession> }> = {};

beforeAll(async () => {
  for (const kind of ['default', 'lively', 'seed'] as const) {
    const directory = await tinyBundle(kind);
    const graphs: Record<string, InferenceSession> = {};
    for (const name of ['speech', 'face', 'text', 'multimodal']) {
      graphs[name] = await InferenceSession.create(path.join(directory, `${name}.onnx`));
    }
    bundles[kind] = { directory, bundle: await readBundle(directory), graphs };
  }
}, 240_000);

interface Variant {
  horizontal: boolean;
  vertical: boolean;
  gain: number;
}

/** Logits of the fusion for one variant of the face frames. */
async function logits(kind: string, features: ClipFeatures, variant: Variant): Promise<number[]> {
  const { bundle, graphs } = bundles[kind]!;
  const { faceSize: side, wordDim } = bundle.preprocessing;
  const { speech, face, text } = evaluationInputs(features, { ...bundle.preprocessing, compat: bundle.compat }, 32);
  const lengths = (length: number) => new Tensor('int32', Int32Array.of(length), [1]);
  const run = async (name: string, feeds: Record<string, Tensor>) =>
    (await graphs[name]!.run(feeds)) as Record<string, Tensor>;
  const heard = await run('speech', {
    log_mel: new Tensor('float32', speech!.data, [1, 1, MEL_BANDS, SPEECH_FRAMES]),
    lengths: lengths(speech!.length),
  });
  const pixels = new Uint8Array(face!.data.length);
  for (let frame = 0; frame < face!.length; frame++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        for (let c = 0; c < 3; c++) {
          const [row, column] = [variant.vertical ? side - 1 - y : y, variant.horizontal ? side - 1 - x : x];
          pixels[((frame * side + y) * side + x) * 3 + c] = face!.data[((frame * side + row) * side + column) * 3 + c]!;
        }
      }
    }
  }
  const seen = await run('face', {
    frames: new Tensor('uint8', pixels, [1, face!.length, side, side, 3]),
    lengths: lengths(face!.length),
    gain: new Tensor('float32', Float32Array.of(variant.gain), [1]),
  });
  const read = await run('text', {
    words: new Tensor('float32', text!.data, [1, text!.length, wordDim]),
    lengths: lengths(text!.length),
  });
  const fused = await run('multimodal', {
    ...{ speech: heard.feature!, face: seen.feature!, text: read.feature! },
    presence: new Tensor('float32', Float32Array.of(1, 1, 1), [1, 3]),
  });
  return Array.from(fused.logits!.data as Float32Array);
}

const normalised = (values: number[]) => values.map((value) => value / values.reduce((a, b) => a + b, 0));
const softmax = (row: number[]) => normalised(row.map(Math.exp));
const mean = (rows: number[][]) => rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);

function variants(verticals: boolean[]): Variant[] {
  return [false, true].flatMap((horizontal) =>
    verticals.flatMap((vertical) => [0.9, 1, 1.1].map((gain) => ({ horizontal, vertical, gain }))),
  );
}

async function score(kinds: string[], features: ClipFeatures): Promise<number[]> {
  const directories = kinds.map((kind) => bundles[kind]!.directory);
  const ensemble = await Ensemble.create(directories, { device: 'cpu', threads: 1 });
  try {
    return await ensemble.score(features, 'clip');
  } finally {
    await ensemble.dispose();
  }
}

function expectClose(actual: number[], expected: number[]): void {
  for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(TOLERANCE);
}

describe('scores of a submission', () => {
  test('compat seed: the mean over twelve variants of softmax^0.1, from 32 face frames', async () => {
    const features = randomFeatures(1, 45);
    expect(features.face.status === 'used' && features.face.data.length).toBe(45 * CROP_SIZE * CROP_SIZE * 3);
    const rows: number[][] = [];
    for (const variant of variants([false, true])) {
      const probabilities = softmax(await logits('seed', features, variant));
      rows.push(normalised(probabilities.map((p) => p ** 0.1)));
    }
    expect(rows).toHaveLength(12);
    // The variants do differ, or this test would say nothing.
    expect(Math.max(...rows.map((row) => Math.abs(row[0]! - rows[0]![0]!)))).toBeGreaterThan(10 * TOLERANCE);
    expectClose(await score(['seed'], features), mean(rows));
  });

  test('compat default: the geometric mean over six variants and all models', async () => {
    const features = randomFeatures(2, 6);
    const rows: number[][] = [];
    for (const kind of ['default', 'lively']) {
      for (const variant of variants([false])) rows.push(softmax(await logits(kind, features, variant)));
    }
    expect(rows).toHaveLength(12);
    const expected = normalised(mean(rows.map((row) => row.map(Math.log))).map(Math.exp));
    expectClose(await score(['default', 'lively'], features), expected);
  });
});
