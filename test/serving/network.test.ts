import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBundle } from '../../common/bundle-files.js';
import { Random } from '../../common/random.js';
import { fitSpeech, type ModelInputs } from '../../preprocessing/model-inputs.js';
import { flipFrames } from '../../preprocessing/tta.js';
import { Network } from '../../serving/engine/network.js';
import { scoreViews } from '../../serving/engine/score-views.js';
import { type ScoredViews, wholeClip } from '../../serving/engine/scoring.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

let network: Network;

beforeAll(async () => {
  const directory = await tinyBundle();
  network = await Network.create(directory, await readBundle(directory), 'cpu', 1, CLIPS.length);
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

const score = (clips: readonly ModelInputs[], by = network) => scoreViews(by, clips.map(wholeClip));

/** Every number of the scores, with a name. */
function numbers({ views, combinations }: ScoredViews): [string, number][] {
  const lists = [
    ...Object.entries(views).flatMap(([name, scores]) =>
      scores.flatMap(({ logits, attention }) => [
        [`${name} logits`, logits] as const,
        [`${name} attention`, attention] as const,
      ]),
    ),
    ...combinations.flatMap((fused) => Object.entries(fused)),
  ];
  return lists.flatMap(([name, values]) => values.map((value, i): [string, number] => [`${name} ${i}`, value]));
}

test('a clip in a batch of unlike clips gets the scores that it gets alone', async () => {
  const batch = await score(CLIPS);
  for (const [index, clip] of CLIPS.entries()) {
    const [alone] = await score([clip]);
    const [found, expected] = [numbers(batch[index]!), numbers(alone!)];
    expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
    for (const [i, [name, value]] of expected.entries()) {
      // Float32 on the CPU: sums may be taken in another order in another batch.
      expect(Math.abs(found[i]![1] - value), name).toBeLessThan(1e-5);
    }
  }
});

test('the fusion is run for every subset of the modalities that the clip has', async () => {
  const subsets = (await score(CLIPS)).map(({ combinations }) => Object.keys(combinations[0]!));
  expect(subsets[0]).toEqual(['speech', 'face', 'text', 'speech+face', 'speech+text', 'face+text', 'speech+face+text']);
  expect(subsets[3]).toEqual(['speech', 'text', 'speech+text']);
  expect(subsets[5]).toEqual(['text']);
});

test('a subset gives what the clip without the other modalities gives', async () => {
  const [whole] = await score([CLIPS[0]!]);
  const [part] = await score([{ ...CLIPS[0]!, face: null }]);
  const fused = (scored: typeof whole) => scored!.combinations[0]!['speech+text']!;
  for (const [i, logit] of fused(part).entries()) {
    expect(fused(whole)[i]).toBeCloseTo(logit, 5);
  }
});

test('attention has one share for each real step, and they sum to 1', async () => {
  const { speech, face, text } = (await score([CLIPS[1]!]))[0]!.views;
  // 120 mel frames at a stride of 32.
  const shares = [speech, face, text].map((views) => views[0]!.attention);
  expect(shares.map(({ length }) => length)).toEqual([4, 3, 1]);
  for (const attention of shares) {
    expect(attention.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
  }
});

test('a bundle without one of the branches scores what it has, as if the clip lacked the other', async () => {
  const directory = await tinyBundle();
  const bundle = await readBundle(directory);
  const { speech, face } = bundle.branches;
  const partial = await Network.create(directory, { ...bundle, branches: { speech, face } }, 'cpu', 1);
  const clip = { ...CLIPS[0]!, text: null };
  const [found] = await score([clip], partial);
  const [expected] = await score([clip]);
  expect(found).toEqual(expected);
  await partial.dispose();
});

test('a variant of the faces gives what the flipped frames give with the gain', async () => {
  const clip = { ...CLIPS[0]!, speech: null, text: null };
  const variant = { horizontal: true, vertical: false, gain: 1.1 };
  const request = wholeClip(clip);
  const { frames } = request.views.face[0]!;
  const views = { ...request.views, face: [...request.views.face, { frames, variant }] };
  const [found] = await scoreViews(network, [{ ...request, views, combinations: [{ face: 1 }] }]);
  const data = flipFrames(clip.face!.data, [56, 56, 3], variant);
  const { logits } = await network.runBranch('face', [{ ...clip.face!, data }], undefined, 1.1);
  const [first, second] = found!.views.face;
  for (const [i, value] of logits[0]!.entries()) expect(second!.logits[i]).toBeCloseTo(value, 5);
  expect(second!.logits).not.toEqual(first!.logits);
});

test('frames that a view asks for are taken in its order, and absent ones are zeros', async () => {
  const clip = { ...CLIPS[0]!, speech: null, text: null };
  const request = wholeClip(clip);
  const { variant } = request.views.face[0]!;
  const views = { ...request.views, face: [{ frames: [-1, 5, 2], variant }] };
  const [found] = await scoreViews(network, [{ ...request, views }]);
  const size = 56 * 56 * 3;
  const frame = (at: number) => clip.face!.data.subarray(at * size, (at + 1) * size);
  const data = new Uint8Array(Buffer.concat([new Uint8Array(size), frame(5), frame(2)]));
  const { logits } = await network.runBranch('face', [{ data, length: 3 }]);
  for (const [i, value] of logits[0]!.entries()) expect(found!.views.face[0]!.logits[i]).toBeCloseTo(value, 5);
});
