import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { readBundle } from '../common/bundle-files.js';
import { asMerError, type ErrorCode, MerError } from '../common/errors.js';
import { createProgress } from '../common/progress.js';
import { loadClipFeatures } from '../preprocessing/corpus/feature-store.js';
import { Ensemble, type EnsembleOptions, requireOneMode } from './ensemble.js';
import { requireMatch } from './feature-match.js';
import { Journal } from './journal.js';
import { type AnsweredClip, type SubmissionSummary, writeSubmission } from './submission-files.js';
import { listTestClips, TEST_SETS, type TestClip, type TestSet } from './test-clips.js';
import { type FeatureClip, listTestFeatures } from './test-features.js';
import { inListOrder, readTestList } from './test-list.js';
import { type FoundFeatures, rawFeatures } from './test-sources.js';

export interface SubmitOptions extends EnsembleOptions {
  /** The folder of each test set's clips … */
  tests?: Partial<Record<TestSet, string>>;
  /** … or what `mer preprocess` made of them. */
  featuresDir?: string;
  /** The list of each test set, whose order the submission has; numeric order without one. */
  lists: Partial<Record<TestSet, string>>;
  bundleDirs: readonly string[];
  outDir: string;
  /** Preprocessing processes. */
  workers: number;
  /** Aborting it ends the run after the clips at work. */
  signal?: AbortSignal;
}

/** A clip that is to be answered. */
interface Entry {
  test: TestSet;
  fileId: number;
  name: string;
  clip: TestClip | FeatureClip;
}

/** Of scoring: a fault of the clip, which gets `neu`. */
const CLIP_FAULTS: readonly ErrorCode[] = ['nothing_to_score', 'bad_words'];
/** Of preprocessing: no fault of the clip; going on would fill a submission with `neu`. */
const RUN_FAULTS: readonly ErrorCode[] = ['missing_part', 'not_ready', 'interrupted'];

const METHODS = {
  seed: 'mean of softmax^0.1 over 12 face variants and all models, 32 face frames',
  default: 'geometric mean over 6 face variants and all models',
} as const;

/**
 * Answers every clip of the given test sets and writes the submissions and what belongs to them. A run that was killed
 * goes on where it stopped; clips that failed are tried again.
 *
 * @throws MerError not_found or bad_file for what is no test set, or not that of the list, before anything is scored;
 *   bad_argument for bundles or features that do not go together; bad_file for scores that are no probabilities;
 *   interrupted; those of the engine
 */
export async function submit(options: SubmitOptions): Promise<SubmissionSummary> {
  const { bundleDirs, outDir } = options;
  const sets = await listSets(options);
  const entries = sets.flat();
  const records = entries.flatMap(({ clip }) => ('found' in clip && 'record' in clip.found ? [clip.found.record] : []));
  const bundles = await Promise.all(bundleDirs.map(readBundle));
  requireOneMode(bundles);
  for (const bundle of bundles) requireMatch(records, bundle);
  const ensemble = await Ensemble.create(bundleDirs, options);
  const journal = await Journal.open(path.join(outDir, 'progress.jsonl'));
  try {
    const outcomes = await answerAll(entries, ensemble, journal, options);
    const answered = sets.map((set) => set.map((entry) => ({ ...entry, outcome: outcomes.get(entry)! })));
    const models = bundles.map(({ name, version, calibration }) => ({
      ...{ name, version },
      ...(ensemble.compat === 'default' && { calibrated: calibration !== undefined }),
    }));
    const summary = await writeSubmission(outDir, answered, { models, method: METHODS[ensemble.compat] });
    await journal.remove();
    await fsp.rm(workFolder(outDir), { recursive: true, force: true });
    return summary;
  } finally {
    await ensemble.dispose();
  }
}

/** @throws MerError interrupted when the signal was aborted before the last clip */
async function answerAll(
  entries: readonly Entry[],
  ensemble: Ensemble,
  journal: Journal,
  options: SubmitOptions,
): Promise<Map<Entry, AnsweredClip['outcome']>> {
  const outcomes = new Map<Entry, AnsweredClip['outcome']>();
  const todo: { entry: Entry; key: string }[] = [];
  for (const entry of entries) {
    const key = await keyOf(entry, ensemble);
    const probabilities = journal.get(key);
    if (probabilities === undefined) todo.push({ entry, key });
    else outcomes.set(entry, { probabilities });
  }
  const source = featuresOf(
    todo.map(({ entry }) => entry),
    ensemble,
    options,
  );
  const progress = createProgress('submit', entries.length);
  let failed = 0;
  try {
    for (const { entry, key } of todo) {
      const found = options.signal?.aborted ? undefined : await source.next();
      if (found === undefined || found.done) throw interrupted(outcomes.size, entries.length);
      const outcome = await answer(ensemble, entry, found.value);
      if ('probabilities' in outcome) await journal.add(key, outcome.probabilities);
      else failed += 1;
      outcomes.set(entry, outcome);
      progress.update(outcomes.size, failed === 0 ? entry.test : `${entry.test}, ${failed} failed`);
    }
    return outcomes;
  } finally {
    progress.stop();
    // Ends the workers that preprocess what comes next.
    await source.return(undefined);
  }
}

/** Features of raw clips lie here until they are scored. */
function workFolder(outDir: string): string {
  return path.join(outDir, 'work');
}

async function listSets({ tests = {}, featuresDir, lists }: SubmitOptions): Promise<Entry[][]> {
  const found = featuresDir === undefined ? new Map<TestSet, FeatureClip[]>() : await listTestFeatures(featuresDir);
  const sets: Entry[][] = [];
  for (const test of TEST_SETS) {
    const folder = tests[test];
    const clips: (TestClip | FeatureClip)[] =
      folder === undefined ? (found.get(test) ?? []) : await listTestClips(test, folder);
    const file = lists[test];
    if (clips.length === 0) {
      if (file === undefined) continue;
      throw new MerError(
        'bad_argument',
        `${file} is given and no clips of ${test}.`,
        `Give --${test}, or no list of it.`,
      );
    }
    const ordered = file === undefined ? clips : inListOrder(clips, await readTestList(file), { test, file });
    sets.push(ordered.map((clip) => ({ test, fileId: clip.fileId, name: nameOf(clip), clip })));
  }
  return sets;
}

function nameOf(clip: TestClip | FeatureClip): string {
  return 'found' in clip ? clip.name : clip.source.clip;
}

/** Stands for the models, the way of answering, and the clip. */
async function keyOf({ clip }: Entry, { bundles }: Ensemble): Promise<string> {
  const models = bundles.map(({ name, version, created }) => [name, version, created]);
  return crypto
    .createHash('sha256')
    .update(JSON.stringify([models, await identityOf(clip)]))
    .digest('hex');
}

async function identityOf(clip: TestClip | FeatureClip): Promise<unknown> {
  if ('found' in clip) return 'record' in clip.found ? [clip.name, clip.found.record.inputs] : clip.name;
  const { clip: file, words, transcript } = clip.source;
  const stamp = async (name: string) => {
    const { size, mtimeMs } = await fsp.stat(name);
    return [name, size, mtimeMs];
  };
  return [await stamp(file), words === undefined ? null : await stamp(words), transcript ?? null];
}

async function* featuresOf(
  entries: readonly Entry[],
  { bundles }: Ensemble,
  { bundleDirs, featuresDir, outDir, wordTable, workers, signal }: SubmitOptions,
): AsyncGenerator<FoundFeatures> {
  if (featuresDir === undefined) {
    const clips = entries.flatMap(({ clip }) => ('source' in clip ? [clip.source] : []));
    yield* rawFeatures(clips, {
      ...{ folder: workFolder(outDir), workers },
      bundles: bundles.map((bundle, index) => ({ directory: bundleDirs[index]!, bundle })),
      ...(wordTable && { wordTable }),
      ...(signal && { signal }),
    });
    return;
  }
  for (const { clip } of entries) {
    if (!('found' in clip)) continue;
    if ('code' in clip.found) yield clip.found;
    else yield { features: await loadClipFeatures(featuresDir, 'test_merc', clip.found.record) };
  }
}

async function answer(ensemble: Ensemble, { name }: Entry, found: FoundFeatures): Promise<AnsweredClip['outcome']> {
  if ('code' in found) {
    const { code, message } = found;
    if (RUN_FAULTS.includes(code)) throw new MerError(code, `${name}: ${message}`, 'Run `mer doctor`.');
    return { code, message };
  }
  try {
    return { probabilities: await ensemble.score(found.features, name) };
  } catch (thrown) {
    const { code, message, remedy } = asMerError(thrown);
    if (CLIP_FAULTS.includes(code)) return { code, message };
    throw new MerError(code, `${name}: ${message}`, remedy, { cause: thrown });
  }
}

function interrupted(done: number, all: number): MerError {
  return new MerError(
    'interrupted',
    `Interrupted after ${done} of ${all} clips; what was found is kept.`,
    'Run the same command again to go on.',
  );
}
