import { EMOTIONS } from '../common/labels.js';
import type { ClassificationMetrics } from '../common/metrics.js';
import { formatTable } from '../common/table.js';
import type { Evaluation } from './evaluate.js';

const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;

/** An evaluation as tables: outputs, then the classes of the fused answer, then its confusion matrix. */
export function evaluationReport({ model, split, clips, fused, modalities, subsets }: Evaluation): string {
  const row = (name: string, metrics: ClassificationMetrics): string[] => [
    name,
    String(metrics.clips),
    percent(metrics.accuracy),
    percent(metrics.macroF1),
    metrics.nll.toFixed(4),
    metrics.ece.toFixed(3),
  ];
  const outputs = [
    row('fused', fused),
    ...Object.entries(modalities).map(([name, metrics]) => row(`${name} head`, metrics)),
    ...Object.entries(subsets).map(([name, metrics]) => row(`fusion of ${name}`, metrics)),
  ];
  return [
    `${model.name} ${model.version} on ${model.device}: ${clips} clips of ${split}, integrated label`,
    formatTable(['output', 'clips', 'accuracy', 'macro F1', 'NLL', 'ECE'], outputs),
    '',
    classReport(fused),
  ].join('\n');
}

/** Precision, recall and F1 of each class, and the confusion matrix (rows: label, columns: prediction). */
export function classReport({ classes, confusion }: Pick<ClassificationMetrics, 'classes' | 'confusion'>): string {
  const classRows = EMOTIONS.map((emotion) => {
    const { clips, precision, recall, f1 } = classes[emotion];
    return [emotion, String(clips), percent(precision), percent(recall), percent(f1)];
  });
  const confusionRows = EMOTIONS.map((emotion, label) => [emotion, ...confusion[label]!.map(String)]);
  return [
    formatTable(['class', 'clips', 'precision', 'recall', 'F1'], classRows),
    '',
    formatTable(['label \\ predicted', ...EMOTIONS], confusionRows),
  ].join('\n');
}
