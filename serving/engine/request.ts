import type { Modality } from '../../common/labels.js';
import { FACE_VARIANTS, type FaceVariant } from '../../preprocessing/tta.js';
import type { TtaMode } from '../answer.js';
import { type Combination, modalitiesOf, type ScoringRequest } from './scoring.js';
import type { PlannedClip, Window } from './windows.js';

/** The variants of the face frames in each mode; a vertical flip is in the reference's only. */
export const VARIANTS: Record<TtaMode, readonly FaceVariant[]> = {
  none: [{ horizontal: false, vertical: false, gain: 1 }],
  default: FACE_VARIANTS.filter(({ vertical }) => !vertical),
  seed: FACE_VARIANTS,
};

/** What the inference process is asked of a clip, and which combinations stand for what. */
export interface ClipRequest {
  request: ScoringRequest;
  /** Of each window with anything to score: the combinations of its variants. */
  windows: WindowCombinations[];
  /** The same for the timeline, which is scored without augmentation. */
  timeline: WindowCombinations[] | null;
}

export interface WindowCombinations {
  window: Window;
  modalities: Modality[];
  /** Positions in the request's combinations, one a variant. */
  combinations: number[];
  /** Positions in the request's face views, one a variant; none without a face. */
  faceViews: number[];
}

/** Speech and words are looked at once a window and once a clip; only the faces have variants. */
export function clipRequest({ inputs, windows, timeline }: PlannedClip, tta: TtaMode): ClipRequest {
  const views: ScoringRequest['views'] = { speech: [], face: [], text: inputs.text ? ['all'] : [] };
  const combinations: Combination[] = [];
  const add = (window: Window, variants: readonly FaceVariant[]): WindowCombinations[] => {
    const shared: Combination = {
      ...(window.speech && { speech: views.speech.push(window.speech) - 1 }),
      ...(inputs.text && { text: 0 }),
    };
    const { face } = window;
    const faceViews = face ? variants.map((variant) => views.face.push({ frames: face, variant }) - 1) : [];
    const fused: Combination[] = face ? faceViews.map((view) => ({ ...shared, face: view })) : [shared];
    const modalities = modalitiesOf(fused[0]!);
    if (modalities.length === 0) return [];
    const positions = fused.map((combination) => combinations.push(combination) - 1);
    return [{ window, modalities, combinations: positions, faceViews }];
  };
  const answered = windows.flatMap((window) => add(window, VARIANTS[tta]));
  const followed = timeline?.flatMap((window) => add(window, VARIANTS.none)) ?? null;
  return { request: { inputs, views, combinations }, windows: answered, timeline: followed };
}
