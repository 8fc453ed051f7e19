import crypto from 'node:crypto';
import { PREPROCESSING_VERSION } from '../../common/bundle.js';
import { asMerError } from '../../common/errors.js';
import { sha256File } from '../../common/files.js';
import { preprocessClip } from '../clip.js';
import { createFaceDetector, type FaceDetector } from '../faces/face-detector.js';
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
  let detector: FaceDetector;
  try {
    detector = await createFaceDetector({ directory: settings.netsDir, threads: 1 });
  } catch (error) {
    reply({ kind: 'fatal', error: asMerError(error).toJSON() });
    return;
  }
  process.on('message', async (message) => {
    const task = workerTaskSchema.parse(message);
    try {
      reply(await work(task, settings, detector));
    } catch (error) {
      await removeClipRecord(settings.featuresDir, task.split, task.stem);
      reply({ kind: 'failed', error: asMerError(error).toJSON() });
    }
  });
}

async function work(task: SourceClip, settings: WorkerSettings, detector: FaceDetector): Promise<WorkerReply> {
  const { compat, maxFrames, featuresDir } = settings;
  const { split, stem, fileId, source, labels, speaker, clip, words } = task;
  const inputs = await hashInputs(task, settings);
  const stored = await readClipRecord(featuresDir, split, stem);
  if (stored?.inputs === inputs && (await hasWholeFeatures(featuresDir, split, stored))) {
    return { kind: 'done', record: stored, reused: true, warnings: [] };
  }
  const features = await preprocessClip({ clip, ...(words ? { words } : {}) }, { compat, maxFrames }, detector);
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
  const record = await saveClipFeatures(featuresDir, split, features, about);
  return { kind: 'done', record, reused: false, warnings: features.warnings };
}

/** Hash of all that the features depend on: the files' content, the settings, the version and the labels. */
async function hashInputs({ clip, words, labels }: SourceClip, { compat, maxFrames }: WorkerSettings): Promise<string> {
  const parts = [
    PREPROCESSING_VERSION,
    { compat, maxFrames, labels },
    await sha256File(clip),
    words ? await sha256File(words) : null,
  ];
  return crypto.createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function reply(message: WorkerReply): void {
  process.send?.(message);
}

await main();
