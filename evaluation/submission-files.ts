import path from 'node:path';
import type { ErrorCode } from '../common/errors.js';
import { writeFileAtomic, writeJsonAtomic } from '../common/files.js';
import { EMOTIONS, type Emotion } from '../common/labels.js';
import { argmax } from '../common/metrics.js';
import { formatTable } from '../common/table.js';
import { writeEmotionCsv } from './emotion-csv.js';
import type { TestSet } from './test-clips.js';

/** What the challenge is told of a clip that could not be answered. */
const FALLBACK: Emotion = 'neu';

/** One row of a submission: the probability of each class, or why there is none. */
export interface AnsweredClip {
  test: TestSet;
  fileId: number;
  outcome: { probabilities: readonly number[] } | { code: ErrorCode; message: string };
}

export interface SubmissionSummary {
  /** `calibrated` in compat default only: the reference does without. */
  models: { name: string; version: string; calibrated?: boolean }[];
  /** How variants and models were averaged, in words. */
  method: string;
  /** The submissions that were written. */
  tests: {
    test: TestSet;
    file: string;
    clips: number;
    failed: number;
    /** Mean probability of the emotions that were named. */
    confidence: number | null;
    emotions: Record<Emotion, number>;
  }[];
  failures: { test: TestSet; fileId: number; code: ErrorCode; message: string }[];
}

/** Decimals of a probability in scores.csv. */
const DECIMALS = 8;

/**
 * Writes `<test>_submission.csv` for each test set, `scores.csv`, `failures.csv`, `summary.json` and `summary.txt`.
 * Nothing in them depends on time or place, so that the same clips and bundles give the same files.
 */
export async function writeSubmission(
  outDir: string,
  sets: readonly (readonly AnsweredClip[])[],
  { models, method }: Pick<SubmissionSummary, 'models' | 'method'>,
): Promise<SubmissionSummary> {
  const summary: SubmissionSummary = { models, method, tests: [], failures: [] };
  for (const clips of sets) {
    const { test } = clips[0]!;
    const file = `${test}_submission.csv`;
    await writeEmotionCsv(
      path.join(outDir, file),
      clips.map((clip) => ({ fileId: clip.fileId, emotion: emotionOf(clip) })),
    );
    summary.tests.push({ test, file, ...describe(clips) });
    for (const { fileId, outcome } of clips) {
      if ('code' in outcome) summary.failures.push({ test, fileId, code: outcome.code, message: outcome.message });
    }
  }
  await writeFileAtomic(path.join(outDir, 'scores.csv'), scoresCsv(sets.flat()));
  await writeFileAtomic(path.join(outDir, 'failures.csv'), failuresCsv(summary.failures));
  await writeJsonAtomic(path.join(outDir, 'summary.json'), summary);
  await writeFileAtomic(path.join(outDir, 'summary.txt'), `${formatSubmission(summary)}\n`);
  return summary;
}

/** The summary as text for a terminal. */
export function formatSubmission({ models, method, tests, failures }: SubmissionSummary): string {
  const rows = tests.map(({ file, clips, failed, confidence, emotions }) => [
    ...[file, String(clips), String(failed), confidence === null ? '–' : confidence.toFixed(3)],
    ...EMOTIONS.map((emotion) => String(emotions[emotion])),
  ]);
  const uncalibrated = models.filter(({ calibrated }) => calibrated === false).map(({ name }) => name);
  return [
    `${models.map(({ name, version }) => `${name} ${version}`).join(', ')}: ${method}`,
    ...(uncalibrated.length > 0 ? [`Without calibration: ${uncalibrated.join(', ')}.`] : []),
    formatTable(['file', 'clips', 'failed', 'confidence', ...EMOTIONS], rows),
    failures.length === 0
      ? 'All clips were answered.'
      : `${failures.length} clips could not be answered and stand as ${FALLBACK}; the reasons are in failures.csv.`,
  ].join('\n');
}

function emotionOf({ outcome }: AnsweredClip): Emotion {
  return 'code' in outcome ? FALLBACK : EMOTIONS[argmax(outcome.probabilities)]!;
}

function describe(
  clips: readonly AnsweredClip[],
): Pick<SubmissionSummary['tests'][number], 'clips' | 'failed' | 'confidence' | 'emotions'> {
  const named = clips.map(emotionOf);
  const highest = clips.flatMap(({ outcome }) => ('code' in outcome ? [] : [Math.max(...outcome.probabilities)]));
  const count = (emotion: Emotion) => named.filter((name) => name === emotion).length;
  return {
    clips: clips.length,
    failed: clips.length - highest.length,
    confidence: highest.length === 0 ? null : highest.reduce((sum, value) => sum + value, 0) / highest.length,
    emotions: Object.fromEntries(EMOTIONS.map((emotion) => [emotion, count(emotion)])) as Record<Emotion, number>,
  };
}

function scoresCsv(clips: readonly AnsweredClip[]): string {
  const lines = clips.map((clip) => {
    const { test, fileId, outcome } = clip;
    const scores = 'code' in outcome ? EMOTIONS.map(() => '') : outcome.probabilities.map((p) => p.toFixed(DECIMALS));
    return [test, fileId, emotionOf(clip), ...scores].join(',');
  });
  return `${[['Test,FileID,Emotion', ...EMOTIONS].join(','), ...lines].join('\n')}\n`;
}

function failuresCsv(failures: SubmissionSummary['failures']): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = failures.map(({ test, fileId, code, message }) => `${test},${fileId},${code},${quoted(message)}`);
  return `${['Test,FileID,Code,Reason', ...lines].join('\n')}\n`;
}
