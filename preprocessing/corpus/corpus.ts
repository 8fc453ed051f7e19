import path from 'node:path';
import type { Compat } from '../../common/bundle.js';
import { errorFromJSON, MerError } from '../../common/errors.js';
import { writeJsonAtomic } from '../../common/files.js';
import { MODALITIES, type Modality } from '../../common/labels.js';
import { MTCNN_DIR } from '../../common/paths.js';
import { createProgress } from '../../common/progress.js';
import type { FaceEmbeddingNet } from '../faces/face-embedder.js';
import type { ClipRecord, Split } from '../features.js';
import { WordTable } from '../words/word-table.js';
import { listStems, removeStaleTemporaries } from './feature-store.js';
import { listMercClips } from './merc-layout.js';
import type { ClipFailure, SourceClip } from './source-clip.js';
import { type ClipOutcome, runClips } from './worker-pool.js';

export interface CorpusOptions {
  corpusDir: string;
  featuresDir: string;
  compat: Compat;
  /** Face frames kept of each clip, at most. */
  maxFrames: number;
  /** The word-vector table that transcripts are looked up in, and the largest share of unknown words. */
  wordTable?: { file: string; maxOutOfVocabulary: number };
  /** The network that embeds the kept face crops. */
  faceEmbedding?: FaceEmbeddingNet;
  /** Child processes. */
  workers: number;
  /** Aborting it ends the run after the clips at work, which are then whole. */
  signal?: AbortSignal;
}

export interface SplitSummary {
  clips: number;
  failed: number;
  /** Clips that were whole already. */
  reused: number;
  /** Seconds of media. */
  seconds: number;
  /** Clips in which the modality can be used. */
  used: Record<Modality, number>;
}

export interface CorpusSummary {
  splits: Map<Split, SplitSummary>;
  failures: ClipFailure[];
  /** Clips that could be used though something is wrong with them, and what. */
  warnings: { clip: string; message: string }[];
}

/** The list of failures in the features folder; empty when all clips could be used. */
export const FAILURES_FILE = 'failures.json';

/**
 * Preprocesses a corpus into features, in child processes. Resumable: a clip whose features are whole and whose files
 * and settings have not changed is not done again. A clip that cannot be used never stops the corpus.
 *
 * @throws MerError not_found when there are no clips, bad_argument for an unsupported mode, missing_part
 *   without the MTCNN nets, bad_file for a damaged word table, interrupted
 */
export async function preprocessCorpus(options: CorpusOptions): Promise<CorpusSummary> {
  const { corpusDir, featuresDir, compat, maxFrames, wordTable, faceEmbedding, workers, signal } = options;
  // Its index is made here, once, and not by each of the workers.
  if (wordTable) await (await WordTable.open(wordTable.file)).dispose();
  const { clips, failures } = await listMercClips(corpusDir);
  await removeStaleTemporaries(featuresDir);
  const summary: CorpusSummary = { splits: new Map(), failures: [...failures], warnings: [] };
  const progress = createProgress('preprocess', clips.length);
  let done = 0;
  try {
    const settings = {
      featuresDir: path.resolve(featuresDir),
      netsDir: MTCNN_DIR,
      compat,
      maxFrames,
      ...(wordTable && { wordTable }),
      ...(faceEmbedding && { faceEmbedding }),
    };
    const onOutcome = (clip: SourceClip, outcome: ClipOutcome) => {
      count(summary, clip, outcome);
      done += 1;
      progress.update(done, summary.failures.length > 0 ? `${summary.failures.length} failed` : '');
    };
    await runClips(clips, settings, workers, onOutcome, signal);
  } finally {
    progress.stop();
  }
  if (done < clips.length) {
    throw new MerError(
      'interrupted',
      `Interrupted after ${done} of ${clips.length} clips; those are whole.`,
      'Run the same command again to go on.',
    );
  }
  summary.failures.sort((a, b) => a.clip.localeCompare(b.clip));
  summary.warnings.push(...(await warnOfStrangers(featuresDir, clips)));
  await writeJsonAtomic(path.join(featuresDir, FAILURES_FILE), summary.failures);
  return summary;
}

function count(summary: CorpusSummary, { clip, split }: SourceClip, outcome: ClipOutcome): void {
  const entry = summary.splits.get(split) ?? emptySplit();
  summary.splits.set(split, entry);
  entry.clips += 1;
  if (outcome.kind === 'failed') {
    entry.failed += 1;
    summary.failures.push({ clip, ...errorFromJSON(outcome.error).toJSON() });
    return;
  }
  const { record, reused, warnings } = outcome;
  if (reused) entry.reused += 1;
  entry.seconds += record.duration;
  for (const modality of MODALITIES) if (isUsed(record, modality)) entry.used[modality] += 1;
  summary.warnings.push(...warnings.map((message) => ({ clip, message })));
}

function emptySplit(): SplitSummary {
  return { clips: 0, failed: 0, reused: 0, seconds: 0, used: { speech: 0, face: 0, text: 0 } };
}

function isUsed(record: ClipRecord, modality: Modality): boolean {
  return record[modality].status === 'used';
}

/** Features of clips that the corpus no longer has would be trained on all the same: the user must know. */
async function warnOfStrangers(featuresDir: string, clips: readonly SourceClip[]) {
  const warnings: { clip: string; message: string }[] = [];
  for (const split of new Set(clips.map((clip) => clip.split))) {
    const known = new Set(clips.filter((clip) => clip.split === split).map(({ stem }) => stem));
    const strangers = (await listStems(featuresDir, split)).filter((stem) => !known.has(stem));
    if (strangers.length === 0) continue;
    warnings.push({
      clip: path.join(featuresDir, split),
      message: `holds features of ${strangers.length} clips that the corpus does not have, such as ${strangers[0]}; delete it and run again to be rid of them`,
    });
  }
  return warnings;
}
