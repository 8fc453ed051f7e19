import { PREPROCESSING_VERSION } from '../../common/bundle.js';
import { runChild } from '../../common/child-main.js';
import { preprocessClip } from '../clip.js';
import { createFaceDetector, type FaceDetector } from '../faces/face-detector.js';
import { createFaceEmbedder, type FaceEmbedder } from '../faces/face-embedder.js';
import { WordTable } from '../words/word-table.js';
import { hashInputs, stampInputs } from './clip-inputs.js';
import { type WorkerResult, type WorkerSettings, workerSettingsSchema } from './clip-worker-protocol.js';
import {
  hasWholeFeatures,
  readClipRecord,
  removeClipFeatures,
  saveClipFeatures,
  saveClipRecord,
} from './feature-store.js';
import { type SourceClip, sourceClipSchema } from './source-clip.js';

/** What a worker opens once and uses for every clip. */
interface Tools {
  detector: FaceDetector;
  wordTable?: WordTable;
  faceEmbedder?: FaceEmbedder;
}

/** A child process of the corpus run: does one clip after the other, with one thread, as its parent sends them. */
runChild({
  configSchema: workerSettingsSchema,
  requestSchema: sourceClipSchema,
  async setUp(settings) {
    const tools = await openTools(settings);
    return {
      info: null,
      async handle(clip): Promise<WorkerResult> {
        try {
          return await work(clip, settings, tools);
        } catch (error) {
          // What an earlier run made of the clip is not what its files give now.
          await removeClipFeatures(settings.featuresDir, clip.split, clip.stem);
          throw error;
        }
      },
    };
  },
});

async function openTools({ netsDir, wordTable, faceEmbedding }: WorkerSettings): Promise<Tools> {
  return {
    detector: await createFaceDetector({ directory: netsDir }),
    ...(wordTable && { wordTable: await WordTable.open(wordTable.file) }),
    ...(faceEmbedding && { faceEmbedder: await createFaceEmbedder(faceEmbedding, 1) }),
  };
}

async function work(task: SourceClip, settings: WorkerSettings, tools: Tools): Promise<WorkerResult> {
  const { compat, maxFrames, subject, featuresDir } = settings;
  const { split, stem, fileId, source, labels, speaker, clip, words, transcript } = task;
  const { detector, wordTable, faceEmbedder } = tools;
  // Before the content is read: a file that changes meanwhile is then noticed by the next run.
  const stamp = await stampInputs(task, settings);
  const inputs = await hashInputs(task, settings);
  const about = {
    ...({ version: PREPROCESSING_VERSION, compat, maxFrames, subject, inputs } as const),
    ...{ stem, fileId, source, labels, speaker },
    ...(stamp !== null && { stamp }),
  };
  const stored = await readClipRecord(featuresDir, split, stem);
  if (stored?.inputs === inputs && (await hasWholeFeatures(featuresDir, split, stored))) {
    const record = { ...stored, ...about };
    await saveClipRecord(featuresDir, split, record);
    return { record, reused: true };
  }
  const features = await preprocessClip(
    { clip, ...(words !== undefined && { words }), ...(transcript !== undefined && { transcript }) },
    {
      compat,
      maxFrames,
      subject,
      ...(settings.wordTable && { maxOutOfVocabulary: settings.wordTable.maxOutOfVocabulary }),
      ...(wordTable && { wordTable }),
    },
    detector,
  );
  const { vocabulary, faceShare, warnings } = features;
  const embedding = faceEmbedder ? await faceEmbedder.embed(features.face) : null;
  const record = await saveClipFeatures(
    featuresDir,
    split,
    features,
    { ...about, ...(warnings.length > 0 && { warnings }) },
    { vocabulary, embedding, faceShare },
  );
  return { record, reused: false };
}
