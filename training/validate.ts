import { EMOTION_COUNT, MODALITIES } from '../common/labels.js';
import { type ClassificationMetrics, classificationMetrics, softmax } from '../common/metrics.js';
import { createProgress } from '../common/progress.js';
import type { ModelSpec } from '../models/spec.js';
import { collate } from '../preprocessing/model-inputs.js';
import type { Dataset, Example } from './data/dataset.js';
import type { Native } from './tensorflow/native.js';
import { Evaluator } from './tensorflow/predictor.js';
import type { Variables } from './tensorflow/tensorflow-ops.js';

/**
 * Clips a forward pass; all kept faces of a clip go through. The text network of
 * compat seed attends across the batch and is served one clip at a time, so it is validated so, too.
 */
function clipsPerPass(spec: ModelSpec): number {
  if (spec.compat === 'seed' && (spec.mode === 'text' || spec.mode === 'multimodal')) return 1;
  const largeFaces = spec.faceSize === 224 && (spec.mode === 'face' || spec.mode === 'multimodal');
  return largeFaces ? 4 : 16;
}

/**
 * Metrics of a network on a whole split in evaluation mode, against the integrated label: `inte` for its own output,
 * and for a multimodal network each modality's, over the clips that have it.
 */
export async function validate(
  native: Native,
  variables: Variables,
  spec: ModelSpec,
  dataset: Dataset,
  signal?: AbortSignal,
): Promise<Record<string, ClassificationMetrics>> {
  const evaluator = new Evaluator(native, variables, spec);
  const rows: Record<string, { probabilities: number[][]; labels: number[] }> = {};
  const note = (output: string, logits: Float32Array, clip: number, label: number) => {
    rows[output] ??= { probabilities: [], labels: [] };
    rows[output].probabilities.push(softmax(logits.subarray(clip * EMOTION_COUNT, (clip + 1) * EMOTION_COUNT)));
    rows[output].labels.push(label);
  };
  const step = clipsPerPass(spec);
  const progress = createProgress('validation', dataset.size, false);
  try {
    for (let start = 0; start < dataset.size; start += step) {
      signal?.throwIfAborted();
      const examples: Example[] = [];
      for (let i = start; i < Math.min(start + step, dataset.size); i++) examples.push(await dataset.load(i));
      const batch = collate(
        examples.map(({ inputs }) => inputs),
        spec,
      );
      const output = evaluator.predict(batch);
      for (const [clip, { labels, inputs }] of examples.entries()) {
        note('inte', output.logits.data, clip, labels.inte);
        if (spec.mode !== 'multimodal') continue;
        for (const modality of MODALITIES) {
          if (inputs[modality]) note(modality, output.branches[modality]!.logits.data, clip, labels.inte);
        }
      }
      progress.update(start + examples.length);
    }
  } finally {
    progress.stop();
  }
  return Object.fromEntries(
    Object.entries(rows).map(([name, { probabilities, labels }]) => [
      name,
      classificationMetrics(probabilities, labels),
    ]),
  );
}
