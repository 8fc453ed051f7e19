import path from 'node:path';
import { csvLine } from '../common/csv.js';
import { MerError } from '../common/errors.js';
import { writeFileAtomic } from '../common/files.js';
import { EMOTIONS } from '../common/labels.js';
import type { TimelineEntry } from '../serving/answer.js';
import type { ClipToAnswer, Outcome } from './predict-clips.js';

const MODALITIES = ['face', 'speech', 'text'] as const;

export const TIMELINE_FORMATS = ['csv', 'vtt'] as const;
export type TimelineFormat = (typeof TIMELINE_FORMATS)[number];

/**
 * The file of each clip's timeline: `target` itself where it ends in .csv or .vtt, which takes one clip, else
 * `<target>/<clip's name>.<format>`.
 *
 * @throws MerError bad_argument for one file of several clips, and for clips whose files would have one name
 */
export function timelineFiles(target: string, clips: readonly ClipToAnswer[], format: TimelineFormat): string[] {
  if (TIMELINE_FORMATS.some((ending) => target.toLowerCase().endsWith(`.${ending}`))) {
    if (clips.length === 1) return [target];
    throw new MerError('bad_argument', `${target} is one file for ${clips.length} clips.`, 'Name a folder.');
  }
  const files = clips.map(({ clip }) => path.join(target, `${path.basename(clip)}.${format}`));
  const twice = files.find((file, index) => files.indexOf(file) !== index);
  if (twice === undefined) return files;
  throw new MerError('bad_argument', `Two clips would both write ${twice}.`, 'Run once for each of their folders.');
}

/** Writes the timelines of the clips that were answered, each whole or not at all. */
export async function writeTimelines(outcomes: readonly Outcome[], files: readonly string[]): Promise<void> {
  for (const [index, outcome] of outcomes.entries()) {
    if ('error' in outcome) continue;
    const file = files[index]!;
    const format = path.extname(file).toLowerCase() === '.vtt' ? timelineVtt : timelineCsv;
    await writeFileAtomic(file, format(outcome.answer.timeline ?? []));
  }
}

/** A line for each window: seconds, the emotion, its scores, and what each modality in the window says. */
export function timelineCsv(timeline: readonly TimelineEntry[]): string {
  const lines = timeline.map(({ start, end, emotion, scores, modalities }) => [
    ...[start.toFixed(3), end.toFixed(3), emotion],
    ...EMOTIONS.map((name) => scores[name].toFixed(6)),
    ...MODALITIES.map((name) => modalities[name]?.emotion ?? ''),
  ]);
  return `${[['start', 'end', 'emotion', ...EMOTIONS, ...MODALITIES], ...lines].map(csvLine).join('\n')}\n`;
}

/** WebVTT captions. Windows overlap and captions should not: each one ends where the next begins. */
export function timelineVtt(timeline: readonly TimelineEntry[]): string {
  const cues = timeline.map(({ start, end, emotion, scores, modalities }, index) => {
    const until = Math.min(end, timeline[index + 1]?.start ?? end);
    const says = MODALITIES.flatMap((name) => (modalities[name] ? [`${name} ${modalities[name].emotion}`] : []));
    return `${clock(start)} --> ${clock(until)}\n${emotion} ${scores[emotion].toFixed(2)} (${says.join(', ')})\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}

/** Seconds as `hh:mm:ss.mmm`. */
function clock(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().slice('1970-01-01T'.length, -1);
}
