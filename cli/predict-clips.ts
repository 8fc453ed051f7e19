import fsp from 'node:fs/promises';
import path from 'node:path';
import { mapConcurrent } from '../common/concurrent.js';
import { asMerError, MerError } from '../common/errors.js';
import { createProgress } from '../common/progress.js';
import { isClip, stemOf, walkFiles } from '../preprocessing/corpus/formats/clip-files.js';
import { readSidecars } from '../preprocessing/corpus/formats/sidecars.js';
import type { Answer } from '../serving/answer.js';
import { defaultWorkers, Engine, type EngineOptions } from '../serving/engine/engine.js';
import { requireTimeline, type ScoreOptions } from '../serving/engine/predict-options.js';

/** A clip, and its words: a file of vectors, or what is said. */
export interface ClipToAnswer {
  clip: string;
  words?: string;
  transcript?: string;
}

export type Outcome = { file: string; answer: Answer } | { file: string; error: ReturnType<MerError['toJSON']> };

/**
 * Files as they are named, and of folders all clips in them, with the words that lie beside each: those of
 * `<name>.npz`, `.json` or `.txt`, else of the part of the name before the first `-`, as in test sets of the challenge.
 *
 * @param transcripts whether transcripts are of use
 * @throws MerError not_found for a folder without clips
 */
export async function listClips(files: readonly string[], transcripts: boolean): Promise<ClipToAnswer[]> {
  const clips: ClipToAnswer[] = [];
  for (const file of files) {
    const found = await fsp.stat(file).catch(() => null);
    if (!found?.isDirectory()) clips.push({ clip: file });
    else clips.push(...(await clipsOfFolder(file, transcripts)));
  }
  return clips;
}

async function clipsOfFolder(folder: string, transcripts: boolean): Promise<ClipToAnswer[]> {
  const names = await walkFiles(folder);
  const present = new Set(names.map((name) => path.join(folder, name)));
  const clips: ClipToAnswer[] = [];
  for (const name of names.filter(isClip)) {
    const clip = path.join(folder, name);
    const beside = (stem: string) => readSidecars(path.join(path.dirname(clip), stem), (file) => present.has(file));
    const stem = stemOf(clip);
    const own = await beside(stem);
    const { words, transcript } = Object.keys(own).length > 0 ? own : await beside(stem.split('-')[0]!);
    // Vectors are what the networks take; a transcript has to be looked up.
    if (words !== undefined) clips.push({ clip, words });
    else if (transcript !== undefined && transcripts) clips.push({ clip, transcript });
    else clips.push({ clip });
  }
  if (clips.length === 0) throw new MerError('not_found', `${folder} has no clips.`, 'Name video or audio files.');
  return clips;
}

/** Answers clips side by side; what cannot be answered is an error of that clip. @throws MerError those of the engine */
export async function predictClips(
  clips: readonly ClipToAnswer[],
  bundleDir: string,
  engineOptions: EngineOptions,
  options: ScoreOptions,
): Promise<Outcome[]> {
  if (options.timeline) requireTimeline(options.timeline);
  const workers = Math.min(clips.length, defaultWorkers());
  const engine = await Engine.create(bundleDir, { ...engineOptions, workers });
  const progress = clips.length > 1 ? createProgress('predict', clips.length, false) : null;
  let done = 0;
  try {
    engine.requireTta(options.tta ?? 'none');
    return await mapConcurrent(clips, workers + 1, async (clip): Promise<Outcome> => {
      try {
        return { file: clip.clip, answer: await engine.predict(clip, options) };
      } catch (error) {
        return { file: clip.clip, error: asMerError(error).toJSON() };
      } finally {
        progress?.update(++done);
      }
    });
  } finally {
    progress?.stop();
    await engine.dispose();
  }
}
