import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { forkModule } from '../../common/child.js';
import { errorFromJSON, MerError } from '../../common/errors.js';
import { readJson, writeJsonAtomic } from '../../common/files.js';
import { createProgress } from '../../common/progress.js';
import { writeEmotionCsv } from '../../evaluation/emotion-csv.js';
import { findVideoEncoder, type VideoEncoder } from './encode-clip.js';
import { isMade, sentenceOf } from './make-clip.js';
import { AGREEMENT, type ClipPlan, DEMO_SETS, MAX_CLIPS, MIN_CLIPS, planCorpus } from './plan.js';

/** Raised when the same seed would give other clips. */
const GENERATOR_VERSION = 1;
const MANIFEST = 'demo.json';
/** Each worker holds a clip's raw frames (9 MB) and drives an ffmpeg; more than this many only wait for the disk. */
const MAX_WORKERS = 16;

export interface DemoCorpusOptions {
  /** Folder of the corpus; made when it is not there. */
  out: string;
  /** Clips in all sets together, MIN_CLIPS to MAX_CLIPS. */
  clips: number;
  seed: number;
  /** Child processes; the corpus does not depend on it. Default: one a processor. */
  workers?: number;
}

export interface DemoCorpus {
  out: string;
  /** Clips by set: `train`, `val`, `test`, `test1`, `test2`, `test3`. */
  sets: Record<string, number>;
  /** Clips made by this call; the others were there. */
  made: number;
  seconds: number;
}

/**
 * Makes the demo corpus, or what is missing of it: clips and words under `qia2020/{train,val,test}` and
 * `merc2020/{test1,test2,test3}`, the true labels of the four test sets as `labels/<set>.csv`
 * (`FileID,Emotion`), and `demo.json`, which says who says and shows what in every clip.
 *
 * @throws MerError bad_argument when a value is out of range or `out` holds something else; missing_part without
 *   ffmpeg; what the first failing clip failed of
 */
export async function makeDemoCorpus(options: DemoCorpusOptions): Promise<DemoCorpus> {
  const started = Date.now();
  const { clips, seed } = options;
  const out = path.resolve(options.out);
  checkRange('clips', clips, MIN_CLIPS, MAX_CLIPS);
  checkRange('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkRange('workers', options.workers ?? 1, 1, 1024);
  const plans = planCorpus(clips, seed);
  await claimFolder(out, plans, seed);
  const missing = plans.flatMap((plan, index) => (isMade(out, plan) ? [] : [index]));
  if (missing.length > 0) {
    const workers = Math.min(options.workers ?? os.availableParallelism(), MAX_WORKERS, missing.length);
    await makeClips({ out, clips, seed, encoder: await findVideoEncoder() }, missing, workers);
  }
  const sets = Object.fromEntries(DEMO_SETS.map((set) => [set.name, plans.filter((plan) => plan.set === set).length]));
  return { out, sets, made: missing.length, seconds: (Date.now() - started) / 1000 };
}

function checkRange(name: string, value: number, low: number, high: number): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  throw new MerError('bad_argument', `${name} is ${value}.`, `Give a whole number from ${low} to ${high}.`);
}

const ownerSchema = z.object({ generator: z.number(), seed: z.number(), clips: z.array(z.unknown()) });

/** Makes the folder, or checks that what lies in it is this very corpus, begun or whole. */
async function claimFolder(out: string, plans: readonly ClipPlan[], seed: number): Promise<void> {
  const manifest = path.join(out, MANIFEST);
  const remedy = 'Give another folder with --out, or remove this one.';
  if (fs.existsSync(manifest)) {
    const owner = await readJson(manifest, ownerSchema);
    if (owner.generator === GENERATOR_VERSION && owner.seed === seed && owner.clips.length === plans.length) {
      await removeTemporaryFiles(out);
      return;
    }
    const found = `${owner.clips.length} clips of seed ${owner.seed}, generator ${owner.generator}`;
    throw new MerError('bad_argument', `${out} holds another demo corpus (${found}).`, remedy);
  }
  if (fs.existsSync(out) && (await fsp.readdir(out)).length > 0)
    throw new MerError('bad_argument', `${out} is not empty and holds no demo corpus.`, remedy);
  for (const { folder } of DEMO_SETS) await fsp.mkdir(path.join(out, folder), { recursive: true });
  for (const set of DEMO_SETS.filter(({ labelled }) => !labelled)) {
    const rows = plans.filter((plan) => plan.set === set);
    await writeEmotionCsv(
      path.join(out, 'labels', `${set.name}.csv`),
      rows.map(({ fileId, labels }) => ({ fileId: Number(fileId), emotion: labels.inte })),
    );
  }
  await writeJsonAtomic(manifest, {
    note: 'Drawn faces, synthetic voices and random words: this corpus shows no real person.',
    generator: GENERATOR_VERSION,
    seed,
    agreement: AGREEMENT,
    sets: DEMO_SETS.map((set) => {
      const own = plans.filter((plan) => plan.set === set);
      return { ...set, clips: own.length, speakers: [...new Set(own.map(({ speaker }) => speaker))] };
    }),
    clips: plans.map((plan) => ({ ...plan, set: plan.set.name, words: sentenceOf(plan, seed).join(' ') })),
  });
}

/** What a run that was killed left behind. */
async function removeTemporaryFiles(out: string): Promise<void> {
  for (const { folder } of DEMO_SETS) {
    const directory = path.join(out, folder);
    for (const name of await fsp.readdir(directory)) {
      if (name.endsWith('.tmp')) await fsp.rm(path.join(directory, name), { force: true });
    }
  }
}

interface WorkerSettings {
  out: string;
  clips: number;
  seed: number;
  encoder: VideoEncoder;
}

const answerSchema = z.object({
  index: z.number(),
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }).optional(),
});

/** Deals the clips out to child processes, one at a time each. */
async function makeClips(settings: WorkerSettings, indexes: readonly number[], workers: number): Promise<void> {
  const progress = createProgress('demo clips', indexes.length);
  const waiting = indexes.values();
  const children: ChildProcess[] = [];
  let done = 0;
  try {
    const work = Array.from({ length: workers }, () => {
      const child = forkModule(new URL('./worker.js', import.meta.url), [JSON.stringify(settings)]);
      children.push(child);
      return new Promise<void>((resolve, reject) => {
        const next = () => {
          const { value, done: finished } = waiting.next();
          if (finished) resolve();
          else child.send(value);
        };
        child.on('error', reject);
        child.on('exit', (code, signal) =>
          reject(
            new MerError(
              'internal',
              `A process that makes demo clips ended with ${signal ?? code}.`,
              'Run the command again: it goes on where it stopped. If it ends so again, try fewer --workers.',
            ),
          ),
        );
        child.on('message', (message) => {
          const { error } = answerSchema.parse(message);
          if (error) {
            reject(errorFromJSON(error));
            return;
          }
          done += 1;
          progress.update(done);
          next();
        });
        next();
      });
    });
    await Promise.all(work);
  } finally {
    for (const child of children) child.kill();
    progress.stop();
  }
}
