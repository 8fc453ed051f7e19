import { EMOTIONS, emotionIndex } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import type { ListedClip } from './formats/format.js';

export type Part = 'train' | 'val' | 'test';

export interface Parts {
  partOf: Map<ListedClip, Part>;
  notes: string[];
  warnings: string[];
}

interface Shares {
  seed: number;
  valShare: number;
  testShare: number;
}

/** The clips of one speaker. */
type Group = readonly ListedClip[];

/** Choices of speakers that are drawn; the one nearest to the wanted shares is taken. */
const DRAWS = 200;
/** A difference in the classes counts less than one in the size: a small corpus cannot have both right. */
const CLASS_WEIGHT = 0.25;

/**
 * Splits labelled clips so that nobody is on two sides, the sides have about the wanted shares of the clips and about
 * the same classes. Where a corpus does not say who speaks, contiguous blocks of each class in the corpus's order take
 * the speakers' place, since the clips of one person mostly follow each other. The same seed gives the same split.
 */
export function splitBySpeaker(clips: readonly ListedClip[], shares: Shares): Parts {
  const parts: Parts = { partOf: new Map(), notes: [], warnings: [] };
  const groups = groupBySpeaker(clips.filter(({ speaker }) => speaker !== null));
  const nameless = clips.filter(({ speaker }) => speaker === null);
  if (groups.length > 1) {
    const { val, test } = chooseGroups(groups, shares);
    for (const group of groups) {
      const part = val.has(group) ? 'val' : test.has(group) ? 'test' : 'train';
      for (const clip of group) parts.partOf.set(clip, part);
    }
    parts.notes.push(
      `${clips.length - nameless.length} clips were split by speaker: ${groups.length - val.size - test.size} of ` +
        `${groups.length} in train, ${val.size} in val, ${test.size} in test`,
    );
  } else if (groups.length === 1) {
    addBlocks(parts, groups[0]!, shares);
    parts.warnings.push('all clips are of one speaker, who is both in train and in val');
  }
  if (nameless.length > 0) {
    addBlocks(parts, nameless, shares);
    parts.notes.push(
      `the corpus does not say who speaks in ${nameless.length} clips: contiguous blocks of each class, in the order ` +
        'of the files, were taken for val and test, so that a person whose clips follow each other stays on one side',
    );
  }
  return parts;
}

function groupBySpeaker(clips: readonly ListedClip[]): Group[] {
  const groups = new Map<string | null, ListedClip[]>();
  for (const clip of clips) {
    const group = groups.get(clip.speaker) ?? [];
    groups.set(clip.speaker, group);
    group.push(clip);
  }
  return [...groups.values()];
}

interface Choice {
  val: Set<Group>;
  test: Set<Group>;
}

function chooseGroups(groups: readonly Group[], { seed, valShare, testShare }: Shares): Choice {
  const random = Random.for(seed, 'split');
  const all = groups.flat();
  const distance = (chosen: ReadonlySet<Group>, share: number): number => {
    const clips = [...chosen].flat();
    const size = Math.abs(clips.length / all.length - share);
    return clips.length === 0 ? size : size + CLASS_WEIGHT * classDistance(clips, all);
  };
  let best: Choice | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let draw = 0; draw < DRAWS; draw++) {
    const order = random.permutation(groups.length).map((index) => groups[index]!);
    const val = take(order, valShare * all.length);
    const rest = order.filter((group) => !val.has(group));
    const test = take(rest, testShare * all.length);
    const total = distance(val, valShare) + distance(test, testShare);
    if (total >= least) continue;
    best = { val, test };
    least = total;
  }
  return best ?? { val: new Set(), test: new Set() };
}

/** Groups in order, as long as each brings their size nearer to the target; one at least, all never. */
function take(order: readonly Group[], target: number): Set<Group> {
  const taken = new Set<Group>();
  if (target === 0 || order.length < 2) return taken;
  let size = 0;
  for (const group of order) {
    if (taken.size === order.length - 1) break;
    if (Math.abs(size + group.length - target) >= Math.abs(size - target)) continue;
    taken.add(group);
    size += group.length;
  }
  if (taken.size === 0) taken.add(order.reduce((least, group) => (group.length < least.length ? group : least)));
  return taken;
}

/** Total variation between the classes of two sets of clips, in [0, 1]. */
function classDistance(some: readonly ListedClip[], all: readonly ListedClip[]): number {
  const [a, b] = [classShares(some), classShares(all)];
  return a.reduce((sum, share, index) => sum + Math.abs(share - b[index]!), 0) / 2;
}

function classShares(clips: readonly ListedClip[]): number[] {
  const shares = new Array<number>(EMOTIONS.length).fill(0);
  for (const { labels } of clips) if (labels) shares[emotionIndex(labels.inte)]! += 1 / clips.length;
  return shares;
}

/** One block of each class for val, followed by one for test, about as far into each class as the seed says. */
function addBlocks({ partOf }: Parts, clips: readonly ListedClip[], { seed, valShare, testShare }: Shares): void {
  const depth = Random.for(seed, 'split blocks').uniform();
  for (const emotion of EMOTIONS) {
    const own = clips.filter(({ labels }) => labels?.inte === emotion);
    const val = Math.round(own.length * valShare);
    const test = Math.round(own.length * testShare);
    const start = Math.floor(depth * (own.length - val - test + 1));
    for (const [index, clip] of own.entries()) {
      const rank = index - start;
      partOf.set(clip, rank < 0 || rank >= val + test ? 'train' : rank < val ? 'val' : 'test');
    }
  }
}
