import fs from 'node:fs';
import { MerError } from '../../common/errors.js';
import { detectFormat, formatNamed } from './formats/all-formats.js';
import type { FormatName, FormatOptions, ListedClip } from './formats/format.js';
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
  const isResplit = split.mode === 'speaker' || split.mode === 'random';
  const single = refuseDoubles(listing.clips, isResplit ? () => '' : (clip) => clip.split ?? '');
  const settled = assignSplits(single.clips, split);
  // Where the corpus gives the test clips only, one that is split now may meet another one of its name there.
  const { clips, failures } = refuseDoubles(settled.clips, (clip) => clip.split);
  const notes = [...listing.notes, ...settled.notes, ...noteDefaults(clips)];
  return {
    format: chosen.name,
    splitMode: settled.mode,
    clips: clips.map(completeLabels),
    failures: [...listing.failures, ...single.failures, ...failures],
    notes,
    warnings: [...settled.warnings, ...warnOfSharedSpeakers(clips)],
  };
}

/** Two clips of one name in a split would share their feature files: the first one is kept. */
function refuseDoubles<Clip extends ListedClip>(
  clips: readonly Clip[],
  splitOf: (clip: Clip) => string,
): { clips: Clip[]; failures: ClipFailure[] } {
  const first = new Map<string, Clip>();
  const failures: ClipFailure[] = [];
  for (const clip of clips) {
    const key = `${splitOf(clip)}/${clip.stem}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, clip);
    else {
      const message = `Another clip is named ${clip.stem}, too: ${other.clip}.`;
      failures.push({ clip: clip.clip, code: 'bad_file', message, remedy: 'Keep one of them, or rename one.' });
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
