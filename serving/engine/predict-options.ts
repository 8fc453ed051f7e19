import { MerError } from '../../common/errors.js';
import { LONG_CLIP_SECONDS } from '../../preprocessing/modalities.js';
import type { TtaMode } from '../answer.js';

/** What a clip is going through; `queued` while it waits for a process. */
export type Stage = 'queued' | 'decode' | 'audio' | 'faces' | 'inference';

/** Windows of a timeline, in seconds. */
export interface TimelineOptions {
  /** Length of each window: 0.5 to 6.4, which is as much sound as the speech network hears at once. */
  window: number;
  /** From the start of one window to the start of the next. */
  hop: number;
}

export interface ScoreOptions {
  /**
   * Test-time augmentation of the face frames. `default`: {as it is, left and right exchanged} x {x0.9, x1, x1.1},
   * averaged geometrically. `seed`: the twelve variants of the reference, whose probabilities are raised to the power
   * of 0.1, made to sum to 1 again and averaged; they are not calibrated. Default `none`.
   */
  tta?: TtaMode;
  /** Answers to windows of the clip as well. */
  timeline?: TimelineOptions;
  /** Aborted when nobody waits for the answer any more: what waits is dropped, what runs is stopped where it can be. */
  signal?: AbortSignal;
}

export interface PredictOptions extends ScoreOptions {
  /** Told when the clip enters a stage. Stages of a clip whose process died may come again. */
  onStage?(stage: Stage): void;
  /** The place that `Engine.admit` gave; without it one is taken as long as the clip is in the engine. */
  place?: Place;
}

/** A place in the engine, held from before a clip's upload to its answer. */
export interface Place {
  /** Gives the place back; again: nothing. */
  release(): void;
}

/** How full the engine is, in clips. */
export interface EngineLoad {
  /** In the work of a process. */
  running: number;
  /** Admitted, and not in work. */
  waiting: number;
  /** Places: when as many are taken, `admit` and `predict` refuse as overloaded. */
  capacity: number;
}

/** Least and most of a timeline's window and hop, in seconds. */
const LIMITS = { window: [0.5, LONG_CLIP_SECONDS], hop: [0.1, 600] } as const;

/** @throws MerError bad_field for windows that no timeline can have */
export function requireTimeline(timeline: TimelineOptions): void {
  for (const field of ['window', 'hop'] as const) {
    const [least, most] = LIMITS[field];
    const value = timeline[field];
    if (value >= least && value <= most) continue;
    throw new MerError(
      'bad_field',
      `The ${field} is ${value} s, which is not from ${least} to ${most}.`,
      'Give windows of a few seconds.',
    );
  }
}
