import { EMOTION_COUNT, MODALITIES, type Modality } from '../common/labels.js';
import { branchHead } from '../models/multimodal.js';
import type { ModelSpec } from '../models/spec.js';
import { type ClassWeights, weighClasses } from './class-weights.js';
import type { TrainConfig } from './config.js';
import type { TrainingBatch } from './data/batches.js';
import type { NetworkOutput } from './tensorflow/forward.js';
import { softCrossEntropy } from './tensorflow/loss.js';
import type { Tensor } from './tensorflow/native.js';
import { add, scale } from './tensorflow/primitives.js';
import type { Tape } from './tensorflow/tape.js';
import type { TensorFlowKinds, TensorFlowOps } from './tensorflow/tensorflow-ops.js';

/** What each clip of a batch counts in the losses, by what the logits are of. */
export type ClipWeights = Record<'inte' | Modality, Float32Array>;

/** Means over the clips: over all of them, and of a modality over those that have it. */
export function clipWeights({ observed }: Pick<TrainingBatch, 'observed'>): ClipWeights {
  const clips = observed.length / MODALITIES.length;
  const present = (modality: number) => {
    const column = observed.filter((_, i) => i % MODALITIES.length === modality);
    const count = column.reduce((sum, value) => sum + value, 0);
    return column.map((value) => value / Math.max(count, 1));
  };
  const [speech, face, text] = MODALITIES.map((_, index) => present(index)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  return { inte: new Float32Array(clips).fill(1 / clips), speech, face, text };
}

/**
 * The loss of a network's output: a scalar. In multimodal training with `--lam` that of the modalities' logits is
 * added, and each head learns on its own feature without moving it, so that the modality's scores stay true whatever
 * lam is.
 */
export function trainingLoss(
  tape: Tape,
  ops: TensorFlowOps,
  spec: ModelSpec,
  { lam, modality_heads }: Pick<TrainConfig, 'lam' | 'modality_heads'>,
  output: NetworkOutput,
  { targets }: Pick<TrainingBatch, 'targets'>,
  weights: ClipWeights,
  classes: ClassWeights,
): Tensor {
  const loss = (logits: Tensor, label: keyof ClassWeights, clips: Float32Array) => {
    const weighed = weighClasses(targets[label], clips, classes[label]);
    const [target, weight] = tape.keep(
      tape.native.floats([clips.length, EMOTION_COUNT], weighed.rows),
      tape.native.floats([clips.length], weighed.clips),
    );
    return softCrossEntropy(tape, logits, target!, weight!);
  };
  let total = loss(output.logits, 'inte', weights.inte);
  if (spec.mode !== 'multimodal') return total;
  for (const modality of MODALITIES) {
    const branch = output.branches[modality]!;
    const label = modality === 'text' ? 'inte' : modality;
    if (modality_heads) {
      const head = branchHead<TensorFlowKinds>(ops, spec, modality, ops.detach(branch.feature));
      total = add(tape, total, loss(head, label, weights[modality]));
    }
    if (lam > 0 && modality !== 'text') {
      total = add(tape, total, scale(tape, loss(branch.logits, label, weights[modality]), lam / 2));
    }
  }
  return total;
}
