import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBundle } from '../../common/bundle-files.js';
import { Random } from '../../common/random.js';
import { fitSpeech, type ModelInputs } from '../../preprocessing/model-inputs.js';
import { type ClipScores, Network } from '../../serving/engine/network.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

let network: Network;

beforeAll(async () => {
  const directory = await tinyBundle();
  network = await Network.create(directory, await readBundle(directory), 'cpu', 1);
});

afterAll(() => network.dispose());

/** A random clip; a length of 0 leaves the modality out. */
function randomClip(seed: number, mel: number, frames: number, words: number): ModelInputs {
  const random = Random.for(seed, 'clip');
  const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform());
  const bytes = () => Uint8Array.from({ length: frames * 56 * 56 * 3 }, () => random.integer(256));
  return {
    speech: mel === 0 ? null : fitSpeech(floats(128 * mel), mel, 0),
    face: frames === 0 ? null : { data: bytes(), length: frames },
    text: words === 0 ? null : { data: floats(words * 24), length: words },
  };
}

const CLIPS = [
  randomClip(1, 400, 8, 12),
  randomClip(2, 120, 3, 1),
  randomClip(3, 0, 5, 40),
  randomClip(4, 250, 0, 7),
  randomClip(5, 33, 1, 0),
  randomClip(6, 0, 0, 3),
];

/** Every number of the scores, with a name. */
function numbers({ branches, fused }: ClipScores): [string, number][] {
  const lists = [
    ...Object.entries(branches).flatMap(([name, { logits, attention }]) => [
      [`${name} logits`, logits] as const,
      [`${name} attention`, attention] as const,
    ]),
    ...Object.entries(fused),
  ];
  return lists.flatMap(([name, values]) => values.map((value, i): [string, number] => [`${name} ${i}`, value]));
}

test('a clip in a batch of unlike clips gets the scores that it gets alone', async () => {
  const batch = await network.run(CLIPS);
  for (const [index, clip] of CLIPS.entries()) {
    const [alone] = await network.run([clip]);
    const [found, expected] = [numbers(batch[index]!), numbers(alone!)];
    expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
    for (const [i, [name, value]] of expected.entries()) {
      // Float32 on the CPU: sums may be taken in another order in another batch.
      expect(Math.abs(found[i]![1] - value), name).toBeLessThan(1e-5);
    }
  }
});

test('the fusion is run for every subset of the modalities that the clip has', async () => {
  const subsets = (await network.run(CLIPS)).map(({ fused }) => Object.keys(fused));
  expect(subsets[0]).toEqual(['speech', 'face', 'text', 'speech+face', 'speech+text', 'face+text', 'speech+face+text']);
  expect(subsets[3]).toEqual(['speech', 'text', 'speech+text']);
  expect(subsets[5]).toEqual(['text']);
});

test('a subset gives what the clip without the other modalities gives', async () => {
  const [whole] = await network.run([CLIPS[0]!]);
  const [part] = await network.run([{ ...CLIPS[0]!, face: null }]);
  for (const [i, logit] of part!.fused['speech+text']!.entries()) {
    expect(whole!.fused['speech+text']![i]).toBeCloseTo(logit, 5);
  }
});

test('attention has one share for each real step, and they sum to 1', async () => {
  const [{ branches }] = (await network.run([CLIPS[1]!])) as [ClipScores];
  // 120 mel frames at a stride of 32.
  expect(branches.speech!.attention).toHaveLength(4);
  expect(branches.face!.attention).toHaveLength(3);
  expect(branches.text!.attention).toHaveLength(1);
  for (const { attention } of Object.values(branches)) {
    expect(attention.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
  }
});

test('a bundle without one of the branches scores what it has, as if the clip lacked the other', async () => {
  const directory = await tinyBundle();
  const bundle = await readBundle(directory);
  const { speech, face } = bundle.branches;
  const partial = await Network.create(directory, { ...bundle, branches: { speech, face } }, 'cpu', 1);
  const [found] = await partial.run([CLIPS[0]!]);
  const [expected] = await network.run([{ ...CLIPS[0]!, text: null }]);
  expect(found).toEqual(expected);
  await partial.dispose();
});

test('a clip with nothing to score is refused', async () => {
  const nothing = { speech: null, face: null, text: null };
  await expect(network.run([nothing])).rejects.toMatchObject({ code: 'nothing_to_score' });
});
