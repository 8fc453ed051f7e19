import { EMOTION_COUNT } from '../../common/labels.js';
import { softmax } from '../../common/metrics.js';
import type { LogitRows } from '../validation-logits.js';
import { fitTemperature, tempered } from './temperature.js';

/** Fewer clips than these say too little of one temperature: it stays 1. */
export const LEAST_CLIPS = 50;

/** The folds of the cross-fitting. */
export const FOLDS = 5;

/** The temperature of one set of logits, and what it does to clips that it was not fitted on. */
export interface Calibrated {
  /** Fitted on all clips; 1 where there are fewer than {@link LEAST_CLIPS}. */
  temperature: number;
  fitted: boolean;
  /** Class index of each clip. */
  labels: number[];
  /** Probabilities of each clip as the network gives them. */
  before: number[][];
  /** The same at the temperature fitted on the clips of the other folds. */
  after: number[][];
}

/**
 * Fits a temperature by the negative log-likelihood, and again without each fold in turn, so that no clip is scored
 * with a temperature that it helped to fit.
 *
 * @param labelOf class index of a clip
 * @param folds the fold of each clip, from {@link assignFolds}
 */
export function calibrate(
  { clips, logits }: LogitRows,
  labelOf: (clip: number) => number,
  folds: readonly number[],
): Calibrated {
  const rows = clips.map((_, row) => logits.subarray(row * EMOTION_COUNT, (row + 1) * EMOTION_COUNT));
  const labels = clips.map(labelOf);
  const before = rows.map((row) => softmax(row));
  if (clips.length < LEAST_CLIPS) return { temperature: 1, fitted: false, labels, before, after: before };
  const withoutFold = Array.from({ length: FOLDS }, (_, fold) => {
    const kept = [...clips.keys()].filter((row) => folds[clips[row]!] !== fold);
    return fitTemperature(
      kept.map((row) => rows[row]!),
      kept.map((row) => labels[row]!),
    );
  });
  const after = rows.map((row, index) => tempered(row, withoutFold[folds[clips[index]!]!]!));
  return { temperature: fitTemperature(rows, labels), fitted: true, labels, before, after };
}
