import { spawn } from 'node:child_process';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { verifyBundle } from '../../common/bundle-files.js';
import { EMOTIONS } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { answerSchema } from '../../serving/answer.js';
import { testClips } from '../helpers/test-clips.js';

const MER = fileURLToPath(new URL('../helpers/mer.ts', import.meta.url));
const SPEAKERS = ['ann', 'ben', 'cho', 'dia'];

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `mer` in a process of its own; kills it without warning as soon as `fatal` says so. */
function mer(args: readonly string[], fatal: () => boolean = () => false): Promise<Run> {
  const child = spawn(process.execPath, ['--import', 'tsx', MER, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const run: Run = { code: null, stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      run[stream] += chunk.toString();
    });
  }
  const watch = setInterval(() => fatal() && child.kill('SIGKILL'), 20);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearInterval(watch);
      resolve({ ...run, code });
    });
  });
}

/** Clips that are heard and read but show nobody: one of each speaker and class, with words of their class. */
async function makeCorpus(folder: string): Promise<void> {
  const { pictureless } = await testClips();
  for (const speaker of SPEAKERS) {
    for (const [label, emotion] of EMOTIONS.entries()) {
      const random = Random.for(1, speaker, emotion);
      const words = Array.from({ length: 4 }, () =>
        Array.from({ length: 8 }, (_, i) => random.normal() + 3 * Number(i === label)),
      );
      const clip = path.join(folder, emotion, `${speaker}__${emotion}.mp4`);
      await fsp.mkdir(path.dirname(clip), { recursive: true });
      await fsp.copyFile(pictureless, clip);
      await fsp.writeFile(clip.replace('.mp4', '.json'), JSON.stringify(words));
    }
  }
}

let directory: string;
let corpus: string;
let out: string;
beforeAll(async () => {
  directory = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-'));
  corpus = path.join(directory, 'corpus');
  out = path.join(directory, 'bundle');
  await makeCorpus(corpus);
});
afterAll(() => fsp.rm(directory, { recursive: true }));

describe('mer build', () => {
  const args = () => ['build', '--corpus', corpus, '--out', out, '--n_epoch', '3', '--val_share', '0.25'];

  test('killed in the middle of a training and run again, goes on there and ends with a bundle', async () => {
    const resumable = path.join(corpus, 'build', 'logs', 'text', 'quick', 'resume.safetensors');
    const killed = await mer(args(), () => fs.existsSync(resumable));
    expect(killed.code).toBeNull();
    expect(killed.stderr).toContain('note: face is left out: 0 training and 0 validation clips have it\n');
    expect(killed.stderr).toContain('[3/5] train text\n');
    expect(killed.stderr).not.toContain('[4/5]');
    expect(fs.existsSync(out)).toBe(false);

    const { code, stdout, stderr } = await mer(args());
    expect(stderr).toMatch(/train +21 +0 +21 /);
    expect(stderr).toMatch(/\[2\/5\] train speech\n {4}done before/);
    expect(stderr).toMatch(/\[3\/5\] train text\n\$ mer train .*--resume\n/);
    expect(stderr).toContain('    resumed at epoch ');
    expect(stderr).toContain(' --without face\n');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nmultimodal +\d +7 +\d\.\d{3} +\d\.\d{3}\n/);
    const bundle = await verifyBundle(out);
    expect(Object.keys(bundle.branches).sort()).toEqual(['speech', 'text']);
    expect(bundle.subsetMetrics).toMatchObject({ 'speech+text': { clips: 7 } });
    // Ten processes that begin with loading TensorFlow or the sources: minutes on a machine that is busy.
  }, 600_000);

  test('makes a bundle that answers a clip', async () => {
    const clip = path.join(corpus, 'sad', 'ann__sad.mp4');
    const { stdout } = await mer([
      ...['predict', clip, '--words', clip.replace('.mp4', '.json'), '--bundle', out, '--device', 'cpu', '--json'],
    ]);
    const [outcome] = z.array(z.object({ answer: answerSchema })).parse(JSON.parse(stdout));
    expect(outcome!.answer.modalities).toMatchObject({
      ...{ speech: { status: 'used' }, text: { status: 'used' }, face: { status: 'missing' } },
    });
  });

  test('does nothing again where all is done, and starts trainings afresh when the clips change', async () => {
    const again = await mer(args());
    expect(again.code).toBe(0);
    expect(again.stderr.match(/ {4}done before/g)).toHaveLength(4);
    await fsp.rm(path.join(corpus, 'hap', 'ben__hap.mp4'));
    await fsp.rm(path.join(corpus, 'build', 'features'), { recursive: true });
    const state = path.join(corpus, 'build', 'build.json');
    let killed = false;
    const changed = await mer(args(), () => {
      killed ||= fs.readFileSync(state, 'utf8').includes('"done": false');
      return killed;
    });
    expect(changed.stderr).not.toContain('done before');
  }, 600_000);
});

test('mer build says what to do with clips that cannot be trained on', async () => {
  const folder = path.join(directory, 'one-class');
  await fsp.mkdir(path.join(folder, 'hap'), { recursive: true });
  for (let clip = 0; clip < 14; clip++) {
    await fsp.copyFile((await testClips()).pictureless, path.join(folder, 'hap', `${clip}.mp4`));
  }
  const { code, stderr } = await mer(['build', '--corpus', folder, '--out', path.join(directory, 'none')]);
  expect(code).toBe(1);
  expect(stderr).toContain('training clips are labelled hap; there is nothing to tell apart.\n  Add clips of other');
  expect(fs.existsSync(path.join(directory, 'none'))).toBe(false);
});
