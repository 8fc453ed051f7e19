import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../common/random.js';
import type { ClipFeatures, Missing } from '../../preprocessing/features.js';
import { answerSchema } from '../../serving/answer.js';
import type { ClipScores } from '../../serving/engine/clip-scores.js';
import { Engine } from '../../serving/engine/engine.js';
import type { EngineEvent } from '../../serving/engine/events.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { until } from '../helpers/test-app.js';
import { type TestClips, testClips } from '../helpers/test-clips.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

const OPTIONS = { device: 'cpu', threads: 1, workers: 1 } as const;

let bundle: string;
let clips: TestClips;
let engine: Engine;

beforeAll(async () => {
  [bundle, clips] = [await tinyBundle(), await testClips()];
  engine = await Engine.create(bundle, OPTIONS);
});

afterAll(() => engine.dispose());

/** Features of unlike lengths; every third clip has no face, every fourth no words. */
function randomFeatures(clip: number): ClipFeatures {
  const random = Random.for(clip, 'features');
  const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform());
  const [mel, faces, words] = [60 + 40 * clip, 1 + (clip % 5), 1 + 4 * clip];
  const pixels = Uint8Array.from({ length: faces * 224 * 224 * 3 }, () => random.integer(256));
  const times = Array.from({ length: faces }, (_, i) => i / 10);
  return {
    speech: { status: 'used', data: floats(128 * mel), frames: mel },
    face: clip % 3 === 2 ? MISSING : { status: 'used', data: pixels, frames: faces, times },
    text: clip % 4 === 3 ? MISSING : { status: 'used', data: floats(words * 24), words, dim: 24 },
    duration: mel / 62.5,
    span: { start: 0, end: mel / 62.5 },
  };
}

const MISSING: Missing = { status: 'missing', reason: 'left out' };

/** Float32 on the CPU: sums may be taken in another order in another batch. */
function expectSame(found: readonly ClipScores[], expected: readonly ClipScores[]): void {
  const numbers = ({ subsets, modalities, keyFrames = [] }: ClipScores) => ({
    rows: [...Object.values(subsets), ...Object.values(modalities), keyFrames.map(({ share }) => share)].flat(),
    names: [...Object.keys(subsets), ...Object.keys(modalities)],
  });
  for (const [clip, scores] of expected.entries()) {
    const [one, other] = [numbers(scores), numbers(found[clip]!)];
    expect(other.names).toEqual(one.names);
    for (const [i, value] of one.rows.entries()) expect(Math.abs(other.rows[i]! - value)).toBeLessThan(1e-5);
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

for (const stage of ['preprocessing', 'inference'] as const) {
  test(`the ${stage} process that dies is replaced, and the clip is answered all the same`, async () => {
    const [pid] = engine.pids[stage];
    const answer = engine.predict({ clip: clips.whole });
    process.kill(pid!, 'SIGKILL');
    expect((await answer).modalities.face.status).toBe('used');
    await until(() => engine.ready);
    expect(engine.pids[stage]).not.toContain(pid);
  });
}

test('clips that are scored together get the answers that each gets alone, and die together without harm', async () => {
  const events: EngineEvent[] = [];
  const batched = await Engine.create(bundle, {
    ...{ device: 'cpu', threads: 1, workers: 0, batching: { maxBatch: 8, maxBatchDelayMs: 20 } },
    onEvent: (event) => events.push(event),
  });
  try {
    const requests = Array.from({ length: 8 }, (_, clip) => randomFeatures(clip));
    const alone: ClipScores[] = [];
    for (const features of requests) alone.push(await batched.predictFeatures(features));
    const together = Promise.all(requests.map((features) => batched.predictFeatures(features)));
    expectSame(await together, alone);
    expect(events.some((event) => event.type === 'batch' && event.clips > 1)).toBe(true);

    const again = Promise.all(requests.map((features) => batched.predictFeatures(features)));
    process.kill(batched.pids.inference[0]!, 'SIGKILL');
    expectSame(await again, alone);
    expect(events.filter(({ type }) => type === 'retried').length).toBeGreaterThan(0);
  } finally {
    await batched.dispose();
  }
});

test('a clip longer than a window is answered from all of it, with a timeline and the frames that counted', async () => {
  const stages: string[] = [];
  const options = { timeline: { window: 2, hop: 1 }, onStage: (stage: string) => void stages.push(stage) };
  const answer = await engine.predict({ clip: clips.long }, options);
  expect(stages).toEqual(['queued', 'decode', 'audio', 'faces', 'inference']);
  expect(answer.seconds.used).toBeGreaterThan(8);
  expect(answer.warnings).toBeUndefined();
  const { timeline, keyFrames, without } = answerSchema.parse(answer);
  expect(timeline!.length).toBeGreaterThan(6);
  expect(timeline!.at(-1)!.end).toBeGreaterThan(8);
  expect(timeline!.every(({ modalities }) => modalities.face && modalities.speech)).toBe(true);
  expect(keyFrames).toHaveLength(5);
  expect(Object.keys(without)).toEqual(['face', 'speech']);
  // Without the voice, what the face says in the fusion is the answer.
  expect(without.speech).not.toEqual(without.face);
});

test('augmentation changes what the face says and neither voice nor words', async () => {
  const plain = await engine.predict({ clip: clips.whole });
  for (const tta of ['default', 'seed'] as const) {
    const answer = await engine.predict({ clip: clips.whole }, { tta });
    expect(answer.tta).toBe(tta);
    expect(answer.scores).not.toEqual(plain.scores);
    expect(answer.modalities.face).not.toEqual(plain.modalities.face);
    if (tta === 'default') expect(answer.modalities.speech).toEqual(plain.modalities.speech);
  }
});

test('a clip whose client has gone is dropped, whether it waits or runs, and the next one is answered', async () => {
  const gone = new AbortController();
  const both = Promise.allSettled(
    [clips.long, clips.whole].map((clip) => engine.predict({ clip }, { signal: gone.signal })),
  );
  gone.abort();
  for (const outcome of await both) expect(outcome).toMatchObject({ reason: { code: 'interrupted' } });
  expect((await engine.predict({ clip: clips.pictureless })).modalities.speech.status).toBe('used');
  expect(engine.load).toMatchObject({ running: 0, waiting: 0 });
});

test('places are counted until they are released, and no clip is taken beyond them', async () => {
  const small = await Engine.create(bundle, { ...OPTIONS, workers: 0, maxQueue: 2 });
  try {
    const [first, second] = [small.admit(), small.admit()];
    expect(small.load).toEqual({ running: 0, waiting: 2, capacity: 2 });
    expect(() => small.admit()).toThrow(expect.objectContaining({ code: 'overloaded' }));
    first.release();
    first.release();
    expect(small.load.waiting).toBe(1);
    second.release();
  } finally {
    await small.dispose();
  }
});

test('a modality without a network is missing with that reason, and the others answer', async () => {
  await inTemporaryFolder(async (folder) => {
    await fsp.cp(bundle, folder, { recursive: true });
    const file = path.join(folder, 'bundle.json');
    const { branches, ...fields } = JSON.parse(await fsp.readFile(file, 'utf8'));
    await fsp.writeFile(file, JSON.stringify({ ...fields, branches: { speech: branches.speech } }));
    const voice = await Engine.create(folder, OPTIONS);
    try {
      const { modalities, without, tta } = await voice.predict({ clip: clips.whole }, { tta: 'default' });
      expect(modalities.face).toEqual({ status: 'missing', reason: expect.stringMatching(/^no_model: .*face/) });
      expect(modalities.text).toMatchObject({ reason: expect.stringMatching(/^no_model: /) });
      expect(modalities.speech.status).toBe('used');
      expect([without, tta]).toEqual([{}, 'default']);
    } finally {
      await voice.dispose();
    }
  });
});

test('disposing ends all processes and answers what is under way', async () => {
  const short = await Engine.create(bundle, OPTIONS);
  const pids = [...short.pids.preprocessing, ...short.pids.inference];
  const answer = expect(short.predict({ clip: clips.whole })).rejects.toMatchObject({ code: 'not_ready' });
  await short.dispose();
  await answer;
  expect(short.ready).toBe(false);
  await until(() => !pids.some(lives));
  await expect(short.predict({ clip: clips.whole })).rejects.toMatchObject({ code: 'not_ready' });
});

test('CUDA that was asked for runs, or the engine does not start and says why', async () => {
  const started = await Engine.create(bundle, { ...OPTIONS, device: 'cuda:0' }).catch((error: unknown) => error);
  if (started instanceof Engine) {
    expect(started.info.device).toBe('cuda:0');
    await started.dispose();
  } else expect(started).toMatchObject({ code: 'missing_part', message: expect.stringMatching(/CUDA.*: .+/) });
});

test('a bundle whose file was changed is refused by name', async () => {
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  try {
    await fsp.cp(bundle, folder, { recursive: true });
    const file = path.join(folder, 'text.onnx');
    const bytes = await fsp.readFile(file);
    bytes[1000]! ^= 1;
    await fsp.writeFile(file, bytes);
    await expect(Engine.create(folder, OPTIONS)).rejects.toMatchObject({
      code: 'bad_file',
      message: expect.stringContaining('text.onnx'),
    });
  } finally {
    await fsp.rm(folder, { recursive: true });
  }
});
