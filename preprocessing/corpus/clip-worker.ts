import crypto from 'node:crypto';
import { PREPROCESSING_VERSION } from '../../common/bundle.js';
import { asMerError } from '../../common/errors.js';
import { sha256File } from '../../common/files.js';
import { preprocessClip } from '../clip.js';
import { createFaceDetector, type FaceDetector } from '../faces/face-detector.js';
import { createFaceEmbedder, type FaceEmbedder } from '../faces/face-embedder.js';
import { WordTable } from '../words/word-table.js';
import {
  type WorkerReply,
  type WorkerSettings,
  workerSettingsSchema,
  workerTaskSchema,
} from './clip-worker-protocol.js';
import { hasWholeFeatures, readClipRecord, removeClipRecord, saveClipFeatures } from './feature-store.js';
import type { SourceClip } from './source-clip.js';

// A child process of the corpus run: does one clip after the other, with one thread, as its parent sends them.

async function main(): Promise<void> {
  const settings = workerSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
  // Without a parent nobody waits for the answer, and ffmpeg must not live on either.
  process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
  let tools: Tools;
  try {
    tools = await openTools(settings);
  } catch (error) {
    reply({ kind: 'fatal', error: asMerError(error).toJSON() });
    return;
  }
  process.on('message', async (message) => {
    const task = workerTaskSchema.parse(message);
    try {
      reply(await work(task, settings, tools));
    } catch (error) {
      await removeClipRecord(settings.featuresDir, task.split, task.stem);
      reply({ kind: 'failed', error: asMerError(error).toJSON() });
    }
  });
}

/** What a worker opens once and uses for every clip. */
interface Tools {
  detector: FaceDetector;
  wordTable?: WordTable;
  faceEmbedder?: FaceEmbedder;
}

async function openTools({ netsDir, wordTable, faceEmbedding }: WorkerSettings): Promise<Tools> {
  return {
    detector: await createFaceDetector({ directory: netsDir, threads: 1 }),
    ...(wordTable && { wordTable: await WordTable.open(wordTable.file) }),
    ...(faceEmbedding && { faceEmbedder: await createFaceEmbedder(faceEmbedding, 1) }),
  };
}

async function work(task: SourceClip, settings: WorkerSettings, tools: Tools): Promise<WorkerReply> {
  const { compat, maxFrames, featuresDir } = settings;
  const { split, stem, fileId, source, labels, speaker, clip, words, transcript } = task;
  const { detector, wordTable, faceEmbedder } = tools;
  const inputs = await hashInputs(task, settings, wordTable);
  const stored = await readClipRecord(featuresDir, split, stem);
  if (stored?.inputs === inputs && (await hasWholeFeatures(featuresDir, split, stored))) {
    return { kind: 'done', record: stored, reused: true, warnings: [] };
  }
  const features = await preprocessClip(
    { clip, ...(words !== undefined && { words }), ...(transcript !== undefined && { transcript }) },
    {
      compat,
      maxFrames,
      ...(settings.wordTable && { maxOutOfVocabulary: settings.wordTable.maxOutOfVocabulary }),
      ...(wordTable && { wordTable }),
    },
    detector,
  );
  const embedding = faceEmbedder ? await faceEmbedder.embed(features.face) : null;
  const about = {
    version: PREPROCESSING_VERSION,
    compat,
    maxFrames,
    inputs,
    stem,
    fileId,
    source,
    labels,
    speaker,
  } as const;
  const record = await saveClipFeatures(featuresDir, split, features, about, {
    vocabulary: features.vocabulary,
    embedding,
  });
  return { kind: 'done', record, reused: false, warnings: features.warnings };
}

/** Hash of all that the features depend on: the files' content, the settings, the version and the labels. */
async function hashInputs(
  { clip, words, transcript, labels }: SourceClip,
  { compat, maxFrames, wordTable, faceEmbedding }: WorkerSettings,
  table: WordTable | undefined,
): Promise<string> {
  const looksUp = words === undefined && transcript !== undefined;
  const parts = [
    PREPROCESSING_VERSION,
    { compat, maxFrames, labels },
    await sha256File(clip),
    words === undefined ? null : await sha256File(words),
    // A table matters to the clips only whose words are looked up in it.
    looksUp ? [transcript, table?.sha256, wordTable?.maxOutOfVocabulary] : null,
    faceEmbedding?.model,
  ];
  return crypto.createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function reply(message: WorkerReply): void {
  process.send?.(message);
}

await main();
