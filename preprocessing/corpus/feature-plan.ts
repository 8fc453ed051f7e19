import fsp from 'node:fs/promises';
import path from 'node:path';
import { mapConcurrent } from '../../common/concurrent.js';
import { type ClipRecord, SPLITS, type Split } from '../features.js';
import { stampInputs } from './clip-inputs.js';
import type { WorkerSettings } from './clip-worker-protocol.js';
import { featureFilesOf, listStems, moveClipFeatures, readClipRecord, saveClipRecord } from './feature-store.js';
import type { SourceClip } from './source-clip.js';

/** Clips whose features are whole and of these files and settings, and those that are left to do. */
export interface FeaturePlan {
  whole: { clip: SourceClip; record: ClipRecord }[];
  todo: SourceClip[];
}

/** Records read at a time. */
const READERS = 16;

/** What lies in a features folder, read once: asking for each file of each clip takes several times as long. */
interface Index {
  stems: Map<Split, Set<string>>;
  files: Set<string>;
}

/**
 * Finds out what a features folder already has, from the records and the sizes and times of the files. Where only the
 * labels, the speaker or the split of a clip have changed, its record is written anew or its features are moved.
 */
export async function planFeatures(clips: readonly SourceClip[], settings: WorkerSettings): Promise<FeaturePlan> {
  const { featuresDir } = settings;
  await moveFeatures(clips, featuresDir, await readIndex(featuresDir));
  const index = await readIndex(featuresDir);
  const records = await mapConcurrent(clips, READERS, (clip) => findWhole(clip, settings, index));
  const plan: FeaturePlan = { whole: [], todo: [] };
  for (const [i, clip] of clips.entries()) {
    const record = records[i];
    if (record) plan.whole.push({ clip, record });
    else plan.todo.push(clip);
  }
  return plan;
}

async function readIndex(featuresDir: string): Promise<Index> {
  const stems = await Promise.all(SPLITS.map(async (split) => new Set(await listStems(featuresDir, split))));
  const folders = SPLITS.flatMap((split) =>
    ['speech', 'video', 'text', 'video_embedding'].map((folder) => path.join(featuresDir, split, folder)),
  );
  const names = await Promise.all(folders.map((folder) => fsp.readdir(folder).catch(() => [])));
  return {
    stems: new Map(SPLITS.map((split, i) => [split, stems[i]!])),
    files: new Set(names.flatMap((own, i) => own.map((name) => path.join(folders[i]!, name)))),
  };
}

/** Takes clips that were in another split before, and that nobody claims there now, to the split that they are in. */
async function moveFeatures(clips: readonly SourceClip[], featuresDir: string, { stems, files }: Index): Promise<void> {
  const claimed = new Set(clips.map(({ split, stem }) => `${split}/${stem}`));
  for (const { split, stem } of clips) {
    if (stems.get(split)?.has(stem)) continue;
    const from = SPLITS.find((other) => stems.get(other)?.has(stem) && !claimed.has(`${other}/${stem}`));
    const record = from && (await readClipRecord(featuresDir, from, stem));
    if (!record || !isWhole(featuresDir, from, record, files)) continue;
    await moveClipFeatures(featuresDir, from, split, record);
  }
}

function isWhole(featuresDir: string, split: Split, record: ClipRecord, files: ReadonlySet<string>): boolean {
  return featureFilesOf(featuresDir, split, record).every((file) => files.has(file));
}

async function findWhole(clip: SourceClip, settings: WorkerSettings, index: Index): Promise<ClipRecord | null> {
  const { split, stem, fileId, source, labels, speaker } = clip;
  const { featuresDir } = settings;
  if (!index.stems.get(split)?.has(stem)) return null;
  const [stored, stamp] = await Promise.all([readClipRecord(featuresDir, split, stem), stampInputs(clip, settings)]);
  if (!stored || stamp === null || stored.stamp !== stamp) return null;
  if (!isWhole(featuresDir, split, stored, index.files)) return null;
  const record: ClipRecord = { ...stored, fileId, source, labels, speaker };
  if (JSON.stringify(record) !== JSON.stringify(stored)) await saveClipRecord(featuresDir, split, record);
  return record;
}
