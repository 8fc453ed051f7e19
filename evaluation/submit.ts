import fsp from 'node:fs/promises';
import path from 'node:path';
import { mapConcurrent } from '../common/concurrent.js';
import { asMerError, type ErrorCode } from '../common/errors.js';
import { writeFileAtomic } from '../common/files.js';
import type { Emotion } from '../common/labels.js';
import { createProgress, type Progress } from '../common/progress.js';
import { SEED_FRAMES } from '../preprocessing/seed-inputs.js';
import { readTranscript } from '../preprocessing/words/transcript.js';
import type { DeviceChoice } from '../serving/engine/devices.js';
import { defaultWorkers, Engine } from '../serving/engine/engine.js';
import { writeEmotionCsv } from './emotion-csv.js';
import { Journal } from './journal.js';
import { listTestClips, type TestClip } from './test-clips.js';

export const TEST_SETS = ['test1', 'test2', 'test3'] as const;
export type TestSet = (typeof TEST_SETS)[number];

export interface FailedClip {
  test: TestSet;
  fileId: number;
  code: ErrorCode;
  message: string;
}

export interface SubmissionSummary {
  /** The files that were written, and how many clips each names. */
  submissions: { file: string; clips: number }[];
  /** Clips that were given `neu` because they could not be answered. */
  failures: FailedClip[];
  failuresFile: string;
}

/** What the challenge is told of a clip that could not be answered. */
const FALLBACK: Emotion = 'neu';
/** Not a clip's fault: going on would fill a submission with `neu`. */
const FATAL: readonly ErrorCode[] = ['not_ready', 'missing_part', 'interrupted'];

/**
 * Answers every clip of the given test sets and writes `<out>/<test>_submission.csv` for each, and
 * `<out>/failures.csv`. A run that was killed goes on where it stopped; clips that failed are tried again.
 *
 * @param tests the folder of each test set
 * @throws MerError not_found or bad_file for a folder that is no test set; those of the engine
 */
export async function submit(options: {
  tests: Partial<Record<TestSet, string>>;
  bundleDir: string;
  outDir: string;
  device: DeviceChoice;
  threads?: number;
  /** Where the words of transcripts are looked up; without it transcripts beside the clips are not used. */
  wordTable?: { file: string; maxOutOfVocabulary: number };
}): Promise<SubmissionSummary> {
  const { tests, bundleDir, outDir, ...engineOptions } = options;
  const sets: { test: TestSet; clips: TestClip[] }[] = [];
  for (const test of TEST_SETS) {
    const folder = tests[test];
    if (folder !== undefined) sets.push({ test, clips: await listTestClips(folder) });
  }
  await fsp.mkdir(outDir, { recursive: true });
  const journal = await Journal.open(path.join(outDir, 'progress.jsonl'));
  const workers = defaultWorkers();
  const engine = await Engine.create(bundleDir, { ...engineOptions, workers, seedFrames: SEED_FRAMES.submission });
  const failures: FailedClip[] = [];
  const submissions: SubmissionSummary['submissions'] = [];
  const progress = createProgress(
    'submit',
    sets.reduce((sum, { clips }) => sum + clips.length, 0),
  );
  try {
    let done = 0;
    for (const { test, clips } of sets) {
      const emotions = await mapConcurrent(clips, workers + 1, async (clip) => {
        const result = await answer(engine, journal, options.wordTable ? clip : withoutTranscript(clip));
        if (typeof result !== 'string') failures.push({ test, fileId: clip.fileId, ...result });
        done += 1;
        update(progress, done, test, failures.length);
        return typeof result === 'string' ? result : FALLBACK;
      });
      const file = path.join(outDir, `${test}_submission.csv`);
      await writeEmotionCsv(
        file,
        clips.map(({ fileId }, index) => ({ fileId, emotion: emotions[index]! })),
      );
      submissions.push({ file, clips: clips.length });
    }
  } finally {
    progress.stop();
    await engine.dispose();
  }
  failures.sort((a, b) => a.test.localeCompare(b.test) || a.fileId - b.fileId);
  const failuresFile = path.join(outDir, 'failures.csv');
  await writeFileAtomic(failuresFile, failuresCsv(failures));
  await journal.remove();
  return { submissions, failures, failuresFile };
}

/** The emotion of one clip, from the journal where it stands there; or why there is none. */
async function answer(
  engine: Engine,
  journal: Journal,
  { clip, words, transcript }: TestClip,
): Promise<Emotion | Pick<FailedClip, 'code' | 'message'>> {
  const files = [clip, words, transcript].filter((file) => file !== undefined);
  const key = [engine.bundle.version, ...(await Promise.all(files.map(identity)))].join(' ');
  const known = journal.get(key);
  if (known !== undefined) return known;
  let emotion: Emotion;
  try {
    ({ emotion } = await engine.predict({
      clip,
      ...(words !== undefined && { words }),
      ...(transcript !== undefined && { transcript: await readTranscript(transcript) }),
    }));
  } catch (thrown) {
    const error = asMerError(thrown);
    if (FATAL.includes(error.code)) throw error;
    return { code: error.code, message: error.message };
  }
  await journal.add(key, emotion);
  return emotion;
}

function withoutTranscript({ transcript: _, ...clip }: TestClip): TestClip {
  return clip;
}

/** Changes when the file does. */
async function identity(file: string): Promise<string> {
  const { size, mtimeMs } = await fsp.stat(file);
  return `${path.resolve(file)} ${size} ${mtimeMs}`;
}

function update(progress: Progress, done: number, test: TestSet, failed: number): void {
  progress.update(done, failed === 0 ? test : `${test}, ${failed} failed`);
}

function failuresCsv(failures: readonly FailedClip[]): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = failures.map(({ test, fileId, code, message }) => `${test},${fileId},${code},${quoted(message)}`);
  return `${['Test,FileID,Code,Reason', ...lines].join('\n')}\n`;
}
