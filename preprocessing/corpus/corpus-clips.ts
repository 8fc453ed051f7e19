import fs from 'node:fs';
import { MerError } from '../../common/errors.js';
import { detectFormat, formatNamed } from './formats/all-formats.js';
import type { FormatName, FormatOptions } from './formats/format.js';
import type { ClipFailure, SourceClip } from './source-clip.js';
import { assignSplits, type SplitClip, type SplitMode, type SplitOptions } from './splits.js';

export interface CorpusSource extends FormatOptions {
  /** Folder of the corpus, or the file of a manifest. */
  corpusDir: string;
  format: FormatName | 'auto';
  split: SplitOptions;
}

/** All that is known of a corpus before any clip is opened. */
export interface CorpusClips {
  format: FormatName;
  splitMode: SplitMode;
  clips: SourceClip[];
  failures: ClipFailure[];
  notes: string[];
  warnings: string[];
}

/**
 * Lists the clips of a corpus with their labels, speakers and splits.
 *
 * @throws MerError not_found when the folder, its format or its clips cannot be found; bad_file when a table cannot be
 *   read; bad_argument for a split that cannot be made
 */
export async function listCorpus({ corpusDir, format, split, ...options }: CorpusSource): Promise<CorpusClips> {
  if (!fs.existsSync(corpusDir)) {
    throw new MerError('not_found', `${corpusDir} is not there.`, 'Give the folder of the corpus.');
  }
  const chosen = format === 'auto' ? await detectFormat(corpusDir) : formatNamed(format);
  const listing = await chosen.list(corpusDir, options);
  if (listing.clips.length + listing.failures.length === 0) {
    const remedy = 'Give the folder that holds the corpus, or another --format.';
    throw new MerError('not_found', `${corpusDir} has no ${chosen.layout}.`, remedy);
  }
  const settled = assignSplits(listing.clips, split);
  const { clips, failures } = refuseDoubles(settled.clips);
  const notes = [...listing.notes, ...settled.notes, ...noteDefaults(clips)];
  return {
    format: chosen.name,
    splitMode: settled.mode,
    clips: clips.map(completeLabels),
    failures: [...listing.failures, ...failures],
    notes,
    warnings: [...settled.warnings, ...warnOfSharedSpeakers(clips)],
  };
}

/** Two clips of one name in a split would share their feature files: the first one is kept. */
function refuseDoubles(clips: readonly SplitClip[]): { clips: SplitClip[]; failures: ClipFailure[] } {
  const first = new Map<string, SplitClip>();
  const failures: ClipFailure[] = [];
  for (const clip of clips) {
    const key = `${clip.split}/${clip.stem}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, clip);
    else {
      failures.push({
        clip: clip.clip,
        code: 'bad_file',
        message: `Another clip of ${clip.split} is named ${clip.stem}, too: ${other.clip}.`,
        remedy: 'Keep one of them, or rename one.',
      });
    }
  }
  return { clips: [...first.values()], failures };
}

function completeLabels({ labels, ...clip }: SplitClip): SourceClip {
  if (!labels) return { ...clip, labels };
  return {
    ...clip,
    labels: { inte: labels.inte, face: labels.face ?? labels.inte, speech: labels.speech ?? labels.inte },
  };
}

function noteDefaults(clips: readonly SplitClip[]): string[] {
  const faces = clips.filter(({ labels }) => labels && labels.face === null).length;
  const voices = clips.filter(({ labels }) => labels && labels.speech === null).length;
  if (faces + voices === 0) return [];
  return [
    `${faces} clips have no face label and ${voices} no speech label of their own: the integrated label stands in for them`,
  ];
}

/** Speakers named in a warning; of more only the number is said. */
const NAMED_SPEAKERS = 5;

function warnOfSharedSpeakers(clips: readonly SplitClip[]): string[] {
  const speakersIn = (split: string) =>
    new Set(clips.flatMap(({ speaker, split: own }) => (own === split && speaker !== null ? [speaker] : [])));
  const pairs = [
    ['train', 'val'],
    ['train', 'test'],
    ['val', 'test'],
  ] as const;
  return pairs.flatMap(([a, b]) => {
    const others = speakersIn(b);
    const shared = [...speakersIn(a)].filter((speaker) => others.has(speaker));
    if (shared.length === 0) return [];
    const more = shared.length > NAMED_SPEAKERS ? `, … (${shared.length})` : '';
    const names = shared.slice(0, NAMED_SPEAKERS).join(', ') + more;
    return [`the same people are in ${a} and in ${b}: ${names}; scores on ${b} will be better than strangers get`];
  });
}
