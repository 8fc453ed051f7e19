import { EMOTION_COUNT, EMOTIONS, type Emotion, emotionIndex } from '../../common/labels.js';
import { Random } from '../../common/random.js';

/** Share of clips whose face (or speech, or text) label is the integrated label; the rest shows another emotion. */
export const AGREEMENT = 0.68;

/** The sets in the order of their FileIDs; `share` is that of all clips. Test clips carry no label in their names. */
export const DEMO_SETS = [
  { name: 'train', folder: 'qia2020/train', share: 0.62, speakers: 18, labelled: true },
  { name: 'val', folder: 'qia2020/val', share: 0.3, speakers: 9, labelled: true },
  { name: 'test', folder: 'qia2020/test', share: 0.02, speakers: 2, labelled: false },
  { name: 'test1', folder: 'merc2020/test1', share: 0.02, speakers: 2, labelled: false },
  { name: 'test2', folder: 'merc2020/test2', share: 0.02, speakers: 2, labelled: false },
  { name: 'test3', folder: 'merc2020/test3', share: 0.02, speakers: 2, labelled: false },
] as const;

export type DemoSet = (typeof DEMO_SETS)[number];

/** Every set needs a clip. */
export const MIN_CLIPS = DEMO_SETS.length;
/** FileIDs have five digits. */
export const MAX_CLIPS = 99999;

export interface ClipPlan {
  /** Five digits. */
  fileId: string;
  set: DemoSet;
  /** Number of the speaker, see `makeSpeaker`. */
  speaker: number;
  /** What the clip is said to express, and what its face, voice and words do express. */
  labels: { inte: Emotion; face: Emotion; speech: Emotion; text: Emotion };
}

/** How many clips each set gets, in the order of DEMO_SETS: at least one, and `clips` in all. */
export function setSizes(clips: number): number[] {
  const tests = DEMO_SETS.slice(2).map(({ share }) => Math.max(1, Math.round(clips * share)));
  const rest = clips - tests.reduce((sum, size) => sum + size, 0);
  const [train, val] = DEMO_SETS;
  const trained = Math.min(rest - 1, Math.max(1, Math.round((rest * train.share) / (train.share + val.share))));
  return [trained, rest - trained, ...tests];
}

/**
 * Who says what in every clip, without making any. FileIDs run speaker by speaker, as in the real corpus, and no
 * speaker is in two sets. In each set the integrated labels are balanced, and the share of clips whose modality
 * agrees is AGREEMENT to within one clip, for each modality independently of the others.
 *
 * @param clips MIN_CLIPS to MAX_CLIPS
 */
export function planCorpus(clips: number, seed: number): ClipPlan[] {
  const plans: ClipPlan[] = [];
  let firstSpeaker = 0;
  for (const [index, size] of setSizes(clips).entries()) {
    const set = DEMO_SETS[index]!;
    const random = Random.for(seed, 'plan', set.name);
    const integrated = balancedLabels(size, random);
    const face = agreeing(integrated, random);
    const speech = agreeing(integrated, random);
    const text = agreeing(integrated, random);
    for (let i = 0; i < size; i++) {
      plans.push({
        fileId: String(plans.length + 1).padStart(5, '0'),
        set,
        speaker: firstSpeaker + Math.floor((i * Math.min(size, set.speakers)) / size),
        labels: { inte: integrated[i]!, face: face[i]!, speech: speech[i]!, text: text[i]! },
      });
    }
    firstSpeaker += set.speakers;
  }
  return plans;
}

/** The clip's path below the corpus folder, without its ending. */
export function clipStem({ fileId, set, labels }: ClipPlan): string {
  const name = set.labelled ? `${fileId}-${labels.inte}-${labels.face}-${labels.speech}` : fileId;
  return `${set.folder}/${name}`;
}

/** Each run of seven holds all seven emotions, so that every speaker shows all of them about equally often. */
function balancedLabels(size: number, random: Random): Emotion[] {
  const labels: Emotion[] = [];
  while (labels.length < size) labels.push(...random.permutation(EMOTION_COUNT).map((index) => EMOTIONS[index]!));
  return labels.slice(0, size);
}

function agreeing(integrated: readonly Emotion[], random: Random): Emotion[] {
  const agree = new Set(random.permutation(integrated.length).slice(0, Math.round(AGREEMENT * integrated.length)));
  return integrated.map((emotion, clip) => {
    const other = EMOTIONS[(emotionIndex(emotion) + 1 + random.integer(EMOTION_COUNT - 1)) % EMOTION_COUNT]!;
    return agree.has(clip) ? emotion : other;
  });
}
