import path from 'node:path';
import type { Compat, Subject } from '../../common/bundle.js';
import { MerError } from '../../common/errors.js';
import { writeJsonAtomic } from '../../common/files.js';
import { MTCNN_DIR } from '../../common/paths.js';
import { createProgress } from '../../common/progress.js';
import type { FaceEmbeddingNet } from '../faces/face-embedder.js';
import { WordTable } from '../words/word-table.js';
import type { WorkerSettings } from './clip-worker-protocol.js';
import { type CorpusSource, listCorpus } from './corpus-clips.js';
import { planFeatures } from './feature-plan.js';
import { listStems, removeStaleTemporaries } from './feature-store.js';
import type { ClipFailure, SourceClip } from './source-clip.js';
import { type CorpusSummary, SummaryBuilder } from './summary.js';
import { runClips } from './worker-pool.js';

export interface CorpusOptions extends CorpusSource {
  featuresDir: string;
  compat: Compat;
  /** Face frames kept of each clip, at most. */
  maxFrames: number;
  /** Whose face; `largest` when absent. */
  subject?: Subject;
  /** The word-vector table that transcripts are looked up in, and the largest share of unknown words. */
  wordTable?: { file: string; maxOutOfVocabulary: number };
  /** The network that embeds the kept face crops. */
  faceEmbedding?: FaceEmbeddingNet;
  /** Child processes. */
  workers: number;
  /** Aborting it ends the run after the clips at work, which are then whole. */
  signal?: AbortSignal;
}

/** The list of failures in the features folder; empty when all clips could be used. */
export const FAILURES_FILE = 'failures.json';
/** The summary of the last whole run in the features folder. */
export const SUMMARY_FILE = 'summary.json';

/**
 * Preprocesses a corpus into features, in child processes. Resumable: a clip whose features are whole and whose files
 * and settings have not changed is not done again. A clip that cannot be used never stops the corpus.
 *
 * @returns the summary and the clips that could not be used, both of which are also in the features folder
 * @throws MerError not_found when there are no clips, bad_argument for a split that cannot be made, bad_file for a
 *   damaged table, missing_part without the MTCNN nets, interrupted
 */
export async function preprocessCorpus(
  options: CorpusOptions,
): Promise<{ summary: CorpusSummary; failures: ClipFailure[] }> {
  const { featuresDir, workers, signal } = options;
  const settings = await workerSettings(options);
  const corpus = await listCorpus(options);
  await removeStaleTemporaries(settings.featuresDir);
  const { whole, todo } = await planFeatures(corpus.clips, settings);
  const builder = new SummaryBuilder(corpus);
  for (const { clip, record } of whole) builder.addClip(clip, record, true);
  let done = whole.length;
  const progress = createProgress('preprocess', corpus.clips.length);
  try {
    await runClips(
      todo,
      settings,
      workers,
      (clip, outcome) => {
        if (outcome.kind === 'failed') builder.addFailure(clip, outcome.error);
        else builder.addClip(clip, outcome.record, outcome.reused);
        done += 1;
        progress.update(done, builder.failed > 0 ? `${builder.failed} failed` : '');
      },
      signal,
    );
  } finally {
    progress.stop();
  }
  if (done < corpus.clips.length) {
    throw new MerError(
      'interrupted',
      `Interrupted after ${done} of ${corpus.clips.length} clips; those are whole.`,
      'Run the same command again to go on.',
    );
  }
  const { summary, failures } = builder.finish();
  summary.warnings.push(...(await warnOfStrangers(settings.featuresDir, corpus.clips)));
  await writeJsonAtomic(path.join(featuresDir, FAILURES_FILE), failures);
  await writeJsonAtomic(path.join(featuresDir, SUMMARY_FILE), summary);
  return { summary, failures };
}

/**
 * What the workers of a run are started with.
 *
 * @param options `netsDir` is the folder of the MTCNN nets; those of set-up when absent
 * @throws MerError not_found or bad_file for the word-vector table
 */
export async function workerSettings(
  options: Pick<CorpusOptions, 'featuresDir' | 'compat' | 'maxFrames' | 'subject' | 'wordTable' | 'faceEmbedding'> & {
    netsDir?: string;
  },
): Promise<WorkerSettings> {
  const {
    featuresDir,
    netsDir = MTCNN_DIR,
    compat,
    maxFrames,
    subject = 'largest',
    wordTable,
    faceEmbedding,
  } = options;
  return {
    ...{ featuresDir: path.resolve(featuresDir), netsDir, compat, maxFrames, subject },
    ...(wordTable && { wordTable: { ...wordTable, sha256: await hashTable(wordTable.file) } }),
    ...(faceEmbedding && { faceEmbedding }),
  };
}

/** Opens the table once, so that its index is made here and not by each of the workers. */
async function hashTable(file: string): Promise<string> {
  const table = await WordTable.open(file);
  await table.dispose();
  return table.sha256;
}

/** Features of clips that the corpus does not have would be trained on all the same: the user must know. */
async function warnOfStrangers(featuresDir: string, clips: readonly SourceClip[]): Promise<string[]> {
  const warnings: string[] = [];
  for (const split of new Set(clips.map((clip) => clip.split))) {
    const known = new Set(clips.filter((clip) => clip.split === split).map(({ stem }) => stem));
    const strangers = (await listStems(featuresDir, split)).filter((stem) => !known.has(stem));
    if (strangers.length === 0) continue;
    warnings.push(
      `${path.join(featuresDir, split)} holds features of ${strangers.length} clips that the corpus does not have, ` +
        `such as ${strangers[0]}; delete it and run again to be rid of them`,
    );
  }
  return warnings;
}
