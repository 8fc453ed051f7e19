import { EMOTION_COUNT, MODALITIES } from '../common/labels.js';
import type { TrainingBatch } from './data/batches.js';
import { type ClipWeights, clipWeights } from './training-loss.js';

/** A part of a batch with what its clips count in the loss of the whole: the losses of all parts add up to it. */
export interface MicroBatch {
  training: TrainingBatch;
  weights: ClipWeights;
}

/** Parts of at most `size` clips and nearly equal: batch statistics of a small last part would say little. */
export function splitBatch(training: TrainingBatch, size: number): MicroBatch[] {
  const { clips } = training.batch;
  const weights = clipWeights(training);
  const parts = Math.ceil(clips / size);
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * clips) / parts);
    const to = Math.floor(((part + 1) * clips) / parts);
    const cut = <Data extends Float32Array | Uint8Array | Int32Array>(
      data: Data,
      columns = data.length / clips,
    ): Data => data.subarray(from * columns, to * columns) as Data;
    const { batch, targets, observed, stems } = training;
    return {
      training: {
        batch: {
          clips: to - from,
          speech: { data: cut(batch.speech.data), lengths: cut(batch.speech.lengths) },
          face: { ...batch.face, data: cut(batch.face.data), lengths: cut(batch.face.lengths) },
          text: { ...batch.text, data: cut(batch.text.data), lengths: cut(batch.text.lengths) },
          presence: cut(batch.presence),
        },
        targets: {
          inte: cut(targets.inte, EMOTION_COUNT),
          face: cut(targets.face, EMOTION_COUNT),
          speech: cut(targets.speech, EMOTION_COUNT),
        },
        observed: cut(observed, MODALITIES.length),
        stems: stems.slice(from, to),
      },
      weights: {
        inte: cut(weights.inte),
        speech: cut(weights.speech),
        face: cut(weights.face),
        text: cut(weights.text),
      },
    };
  });
}

export interface MemoryPlan {
  /** Clips computed at a time. */
  microBatch: number;
  /** Estimated peak of a step on the whole batch, beyond what is in use now; null where it was not estimated. */
  wholeBytes: number | null;
  freeBytes: number;
}

/** Share of the free memory that a step may take: what the estimate does not see has the rest. */
const USABLE_SHARE = 0.75;

/**
 * The largest micro-batch that fits.
 * @param bytesOf peak of a forward and backward pass over so many clips; called with 1 and 2
 * @param fixedBytes what a step takes whatever the batch: gradients, optimizer state
 */
export function planMicroBatch(
  clips: number,
  bytesOf: (clips: number) => number,
  fixedBytes: number,
  freeBytes: number,
): MemoryPlan {
  if (clips < 2) return { microBatch: clips, wholeBytes: fixedBytes, freeBytes };
  const one = bytesOf(1);
  const each = Math.max(1, bytesOf(2) - one);
  const base = Math.max(0, one - each) + fixedBytes;
  const fitting = Math.floor((freeBytes * USABLE_SHARE - base) / each);
  return { microBatch: Math.min(clips, Math.max(1, fitting)), wholeBytes: base + clips * each, freeBytes };
}

/** A line for the log; null where nothing was estimated. */
export function describePlan(plan: MemoryPlan | null, batchSize: number): string | null {
  if (plan === null || plan.wholeBytes === null) return null;
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const need = `a batch of ${batchSize} needs about ${gigabytes(plan.wholeBytes)}, ${gigabytes(plan.freeBytes)} are free`;
  if (plan.microBatch >= batchSize) return `${need}: computed at once`;
  return `${need}: computed in micro-batches of ${plan.microBatch} (batch statistics, and in compat seed the text's attention, are those of each)`;
}
