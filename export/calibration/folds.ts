import { EMOTIONS } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import type { ClipRecord } from '../../preprocessing/features.js';

/** What decides the fold of a clip. */
export type FoldClip = Pick<ClipRecord, 'speaker' | 'labels'>;

/**
 * Puts clips into `count` folds: all clips of a speaker into one, the speakers in random order each into the smallest
 * fold. Where nobody knows who speaks, or all clips are of one speaker, contiguous blocks of each class take the
 * speakers' place, since the clips of one person mostly follow each other.
 *
 * @param clips in the order of their names
 * @returns the fold of each clip, from 0
 */
export function assignFolds(clips: readonly FoldClip[], count: number, seed: number): number[] {
  const random = Random.for(seed, 'calibration folds');
  const folds = new Array<number>(clips.length).fill(0);
  const speakers = groupBy([...clips.keys()], (clip) => clips[clip]!.speaker);
  const nameless = speakers.get(null) ?? [];
  speakers.delete(null);
  const groups = [...speakers.values()];
  if (groups.length === 1) nameless.push(...groups.pop()!);
  const sizes = new Array<number>(count).fill(0);
  for (const index of random.permutation(groups.length)) {
    const fold = sizes.indexOf(Math.min(...sizes));
    for (const clip of groups[index]!) folds[clip] = fold;
    sizes[fold]! += groups[index]!.length;
  }
  const classes = groupBy(
    nameless.sort((a, b) => a - b),
    (clip) => clips[clip]!.labels?.inte,
  );
  for (const emotion of EMOTIONS) {
    const own = classes.get(emotion) ?? [];
    // Classes of fewer clips than folds do not all begin with the first one.
    const first = random.integer(count);
    for (const [rank, clip] of own.entries()) {
      folds[clip] = (first + Math.floor((rank * count) / own.length)) % count;
    }
  }
  return folds;
}

function groupBy<Key>(clips: readonly number[], keyOf: (clip: number) => Key): Map<Key, number[]> {
  const groups = new Map<Key, number[]>();
  for (const clip of clips) {
    const group = groups.get(keyOf(clip)) ?? [];
    groups.set(keyOf(clip), group);
    group.push(clip);
  }
  return groups;
}
