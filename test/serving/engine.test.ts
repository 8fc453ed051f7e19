import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../serving/engine/engine.js';
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
