import { MerError } from '../../common/errors.js';
import { Random } from '../../common/random.js';
import type { Split } from '../features.js';
import type { ListedClip } from './formats/format.js';
import { type Part, type Parts, splitBySpeaker } from './speaker-split.js';

export const SPLIT_MODES = ['given', 'speaker', 'random'] as const;
export type SplitMode = (typeof SPLIT_MODES)[number];

export interface SplitOptions {
  /** Absent: as the corpus says, and by speaker where it leaves the split open. */
  mode?: SplitMode;
  seed: number;
  /** Shares of the clips that are split here, in [0, 1). */
  valShare: number;
  testShare: number;
}

/** A clip whose split is settled. */
export type SplitClip = ListedClip & { split: Split };

export interface SplitResult {
  clips: SplitClip[];
  /** How the clips were split. */
  mode: SplitMode;
  notes: string[];
  warnings: string[];
}

/**
 * Settles the split of each clip. A clip without labels keeps the split that the corpus gives it.
 *
 * @throws MerError bad_argument for shares that leave nothing to train on, or when `given` is asked and the corpus
 *   gives no split; bad_file when it gives train or val to some of its labelled clips only
 */
export function assignSplits(clips: readonly ListedClip[], options: SplitOptions): SplitResult {
  const { mode, valShare, testShare } = options;
  if (valShare + testShare >= 1) {
    const message = `The shares of val and test, ${valShare} and ${testShare}, leave nothing to train on.`;
    throw new MerError('bad_argument', message, 'Give shares whose sum is below 1.');
  }
  const open = clips.filter(({ split, labels }) => split === null || (isResplit(mode) && labels !== null));
  if (open.length === 0 || mode === 'given') return keepGiven(clips, open);
  requireWholeColumn(clips, mode);
  const parts = mode === 'random' ? byChance(open, options) : splitBySpeaker(open, options);
  const { partOf, notes, warnings } = parts;
  return {
    clips: clips.map((clip) => ({ ...clip, split: partOf.get(clip) ?? clip.split ?? 'train' })),
    mode: mode === 'random' ? 'random' : 'speaker',
    notes,
    warnings,
  };
}

function isResplit(mode: SplitMode | undefined): boolean {
  return mode === 'speaker' || mode === 'random';
}

function keepGiven(clips: readonly ListedClip[], open: readonly ListedClip[]): SplitResult {
  const settled = clips.flatMap((clip) => (clip.split === null ? [] : [{ ...clip, split: clip.split }]));
  if (open.length > 0) {
    const message = `The corpus gives no split to ${open.length} clips, such as ${open[0]!.clip}.`;
    throw new MerError('bad_argument', message, 'Use --split speaker.');
  }
  const warnings = [...new Set(settled.map(({ split }) => split))].includes('val')
    ? []
    : ['the corpus gives no clip to val: use --split speaker to take some from train'];
  return { clips: settled, mode: 'given', notes: ['the split is the one that the corpus gives'], warnings };
}

/** Some clips in train and others left open: nobody can tell where those belong. */
function requireWholeColumn(clips: readonly ListedClip[], mode: SplitMode | undefined): void {
  if (mode !== undefined) return;
  const open = clips.filter(({ split }) => split === null);
  const given = clips.find(({ split, labels }) => labels !== null && (split === 'train' || split === 'val'));
  if (given === undefined) return;
  throw new MerError(
    'bad_file',
    `The corpus gives no split to ${open.length} clips, such as ${open[0]!.clip}, but ${given.split} to others, such as ${given.clip}.`,
    'Give all of them a split or none, or use --split speaker.',
  );
}

function byChance(clips: readonly ListedClip[], { seed, valShare, testShare }: SplitOptions): Parts {
  const order = Random.for(seed, 'split').permutation(clips.length);
  const val = Math.round(clips.length * valShare);
  const test = Math.round(clips.length * testShare);
  const partAt = (rank: number): Part => (rank < val ? 'val' : rank < val + test ? 'test' : 'train');
  return {
    partOf: new Map(order.map((index, rank) => [clips[index]!, partAt(rank)])),
    notes: [`${clips.length} clips were split at random`],
    warnings: [
      'a random split puts the same people into train and val: the scores on val will be far too good ' +
        '(on QIA2020 .60 instead of .44); use --split speaker to know how a stranger fares',
    ],
  };
}
