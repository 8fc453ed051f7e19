import { EMOTIONS } from '../common/labels.js';
import { naturally } from '../preprocessing/corpus/formats/clip-files.js';
import type { ClipRecord } from '../preprocessing/features.js';

/** What the clips of an evaluation can be told apart by. */
export const GROUPINGS = ['speaker', 'class', 'length'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Seconds at which a class of length ends; the last one is as much as the speech network hears at once. */
const LENGTHS = [2, 4, 6.4];

/** The names of the groups that there are, in their order. */
export function groupNames(grouping: Grouping, found: readonly string[]): string[] {
  const present = new Set(found);
  switch (grouping) {
    case 'speaker':
      return [...present].sort(naturally);
    case 'class':
      return EMOTIONS.filter((emotion) => present.has(emotion));
    case 'length':
      return lengthNames().filter((name) => present.has(name));
  }
}

/** The group that a labelled clip belongs to. */
export function groupOf({ labels, speaker, duration }: ClipRecord, grouping: Grouping): string {
  switch (grouping) {
    case 'speaker':
      return speaker ?? 'unknown';
    case 'class':
      return labels?.inte ?? 'unknown';
    case 'length': {
      const index = LENGTHS.findIndex((end) => duration <= end);
      return lengthNames().at(index)!;
    }
  }
}

function lengthNames(): string[] {
  const names = LENGTHS.map((end, index) => (index === 0 ? `to ${end} s` : `${LENGTHS[index - 1]} to ${end} s`));
  return [...names, `over ${LENGTHS.at(-1)} s`];
}
