import type { Bundle } from '../../common/bundle.js';
import { EMOTION_COUNT, MODALITIES, type Modality } from '../../common/labels.js';
import { softmax } from '../../common/metrics.js';
import { subsetName } from '../../common/subsets.js';
import { temper } from '../../preprocessing/tta.js';
import type { Answer, TtaMode } from '../answer.js';
import type { ClipRequest, WindowCombinations } from './request.js';
import { NO_FRAME, type ScoredViews } from './scoring.js';
import type { PlannedClip } from './windows.js';

/** 7 probabilities of what was asked of one window or of a whole clip. */
export interface Scores {
  /** The integrated answer, from all modalities that there are. */
  scores: number[];
  /** Each modality's own head. */
  modalities: Partial<Record<Modality, number[]>>;
  /** The fusion of each non-empty subset of the modalities, by `subsetName`. */
  subsets: Record<string, number[]>;
}

export interface TimelineScores extends Scores {
  /** Seconds of the clip. */
  start: number;
  end: number;
}

/** What a clip's scores come to: probabilities, averaged over variants and windows. */
export interface ClipScores extends Scores {
  /** Whether the bundle's temperatures were applied. */
  calibrated: boolean;
  /** Up to five face frames that attention weighed most, in order of time. */
  keyFrames?: NonNullable<Answer['keyFrames']>;
  timeline?: TimelineScores[];
}

const KEY_FRAMES = 5;

/**
 * From logits to the probabilities of one clip. In each window, over the variants of test-time augmentation:
 *   none      softmax(logits / T), with the bundle's temperature T of the output (1 where it has none)
 *   default   the geometric mean of these, made to sum to 1: the softmax of the variants' mean logits / T
 *   seed      the mean of softmax(logits)^0.1 / sum, as the reference submits it; no temperature
 * Then the mean of the probabilities over the windows. An output counts in the windows that have its modalities; the
 * integrated answer takes in each window all modalities that it has.
 *
 * @param scored what the networks said of `asked.request`
 */
export function clipScores(
  { calibration }: Pick<Bundle, 'calibration'>,
  tta: TtaMode,
  plan: Pick<PlannedClip, 'frameTimes'>,
  asked: ClipRequest,
  scored: ScoredViews,
): ClipScores {
  const calibrated = calibration !== undefined && tta !== 'seed';
  const temperatures = calibrated ? calibration : { subsets: {}, heads: {} };
  const probabilities = tta === 'seed' ? temperedMean : geometricMean;
  const average = (of: WindowCombinations): Scores => {
    const subsets = Object.fromEntries(
      Object.keys(scored.combinations[of.combinations[0]!]!).map((subset) => {
        const logits = of.combinations.map((combination) => scored.combinations[combination]![subset]!);
        return [subset, probabilities(logits, temperatures.subsets[subset] ?? 1)];
      }),
    );
    const modalities: Scores['modalities'] = {};
    for (const modality of of.modalities) {
      modalities[modality] = probabilities(headLogits(modality, of, asked, scored), temperatures.heads[modality] ?? 1);
    }
    return { scores: subsets[subsetName(of.modalities)]!, modalities, subsets };
  };
  const keyFrames = mostAttended(plan.frameTimes, asked, scored);
  return {
    ...meanOf(asked.windows.map(average)),
    calibrated,
    ...(keyFrames && { keyFrames }),
    ...(asked.timeline && {
      timeline: asked.timeline.map((of) => ({ start: of.window.start, end: of.window.end, ...average(of) })),
    }),
  };
}

/** The logits of one modality's head in a window: of the face one for each variant, else one. */
function headLogits(
  modality: Modality,
  { combinations, faceViews }: WindowCombinations,
  { request }: ClipRequest,
  { views }: ScoredViews,
): number[][] {
  if (modality === 'face') return faceViews.map((view) => views.face[view]!.logits);
  const view = request.combinations[combinations[0]!]![modality]!;
  return [views[modality][view]!.logits];
}

function geometricMean(logits: readonly (readonly number[])[], temperature: number): number[] {
  return softmax(meanVector(logits).map((value) => value / temperature));
}

function temperedMean(logits: readonly (readonly number[])[]): number[] {
  return meanVector(logits.map((row) => temper(softmax(row))));
}

/** The mean over the windows, of each output over those that have it. */
function meanOf(windows: readonly Scores[]): Scores {
  const subsets: Scores['subsets'] = {};
  for (const name of new Set(windows.flatMap((window) => Object.keys(window.subsets)))) {
    subsets[name] = meanVector(windows.flatMap((window) => (window.subsets[name] ? [window.subsets[name]] : [])));
  }
  const modalities: Scores['modalities'] = {};
  for (const modality of MODALITIES) {
    const found = windows.flatMap((window) => (window.modalities[modality] ? [window.modalities[modality]] : []));
    if (found.length > 0) modalities[modality] = meanVector(found);
  }
  return { scores: meanVector(windows.map(({ scores }) => scores)), modalities, subsets };
}

function meanVector(rows: readonly (readonly number[])[]): number[] {
  return Array.from(
    { length: EMOTION_COUNT },
    (_, column) => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length,
  );
}

/** The shares of frames of the same moment are added; frames of zeros have no moment. */
function mostAttended(
  frameTimes: readonly number[],
  { request, windows }: ClipRequest,
  { views }: ScoredViews,
): ClipScores['keyFrames'] {
  const seen = windows.flatMap(({ faceViews }) => faceViews);
  if (seen.length === 0) return undefined;
  const shares = new Map<number, number>();
  for (const view of seen) {
    for (const [position, frame] of request.views.face[view]!.frames.entries()) {
      if (frame === NO_FRAME) continue;
      const time = frameTimes[frame]!;
      shares.set(time, (shares.get(time) ?? 0) + (views.face[view]!.attention[position] ?? 0) / seen.length);
    }
  }
  return [...shares]
    .map(([time, share]) => ({ time, share: Math.min(1, share) }))
    .sort((a, b) => b.share - a.share)
    .slice(0, KEY_FRAMES)
    .sort((a, b) => a.time - b.time);
}
