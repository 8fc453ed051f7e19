import { EMOTIONS } from '../common/labels.js';
import type { ClassificationMetrics } from '../common/metrics.js';
import { barsSvg } from '../common/plots/bars.js';
import { confusionSvg } from '../common/plots/confusion.js';
import { formatTable } from '../common/table.js';
import { type IntervalMetric, RESAMPLES } from './bootstrap.js';
import type { Evaluation, MeasuredOutput } from './evaluate.js';

const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;

/** An evaluation as tables: outputs, groups, then the classes of the fused answer and its confusion matrix. */
export function evaluationReport(evaluation: Evaluation): string {
  const { model, split, clips, calibrated, bootstrap, fused, groups } = evaluation;
  const parts = groups === undefined ? [] : [`by ${groups.by}`, outputTable(groups.by, groupRows(groups.of)), ''];
  const warning =
    bootstrap.of === 'speakers'
      ? `speakers (${bootstrap.count})`
      : 'clips; who speaks is not known, so the intervals are too narrow where few people speak';
  return [
    `${model.name} ${model.version} on ${model.device}: ${clips} clips of ${split}, integrated label, ` +
      `${calibrated ? 'calibrated' : 'not calibrated'}`,
    `95 % intervals: bootstrap of ${RESAMPLES} resamples of ${warning}; seed ${bootstrap.seed}`,
    outputTable('output', outputs(evaluation)),
    '',
    ...parts,
    classReport(fused),
  ].join('\n');
}

/** The evaluation as pictures, by file name. */
export function evaluationPlots(evaluation: Evaluation): Record<string, string> {
  const { model, clips, split, fused, groups } = evaluation;
  const title = `${model.name}: ${clips} clips of ${split}`;
  const accuracies = (rows: readonly [string, MeasuredOutput][]) => ({
    xLabel: 'accuracy with 95 % interval',
    series: ['accuracy'],
    groups: rows.map(([name, { accuracy, intervals }]) => {
      const [low, high] = intervals.accuracy;
      return { name, values: [{ value: accuracy, low, high }] };
    }),
  });
  return {
    'confusion.svg': confusionSvg(fused.confusion, EMOTIONS, title),
    'outputs.svg': barsSvg({ title, ...accuracies(outputs(evaluation)) }),
    ...(groups && {
      [`by-${groups.by}.svg`]: barsSvg({ title: `${title}, by ${groups.by}`, ...accuracies(groupRows(groups.of)) }),
    }),
  };
}

function outputs({ fused, modalities, subsets }: Evaluation): [string, MeasuredOutput][] {
  return [
    ['fused', fused],
    ...Object.entries(modalities).map(([name, metrics]): [string, MeasuredOutput] => [`${name} head`, metrics]),
    ...Object.entries(subsets).map(([name, metrics]): [string, MeasuredOutput] => [`fusion of ${name}`, metrics]),
  ];
}

function groupRows(groups: readonly { name: string; metrics: MeasuredOutput }[]): [string, MeasuredOutput][] {
  return groups.map(({ name, metrics }) => [name, metrics]);
}

function outputTable(title: string, rows: readonly [string, MeasuredOutput][]): string {
  const share = (metrics: MeasuredOutput, metric: IntervalMetric) => {
    const [low, high] = metrics.intervals[metric];
    return `${percent(metrics[metric])} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`;
  };
  const plain = (metrics: MeasuredOutput, metric: IntervalMetric, digits: number) => {
    const [low, high] = metrics.intervals[metric];
    return `${metrics[metric].toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
  };
  return formatTable(
    [title, 'clips', 'accuracy', 'macro F1', 'weighted F1', 'NLL', 'ECE'],
    rows.map(([name, metrics]) => [
      ...[name, String(metrics.clips), share(metrics, 'accuracy'), share(metrics, 'macroF1')],
      ...[share(metrics, 'weightedF1'), plain(metrics, 'nll', 3), plain(metrics, 'ece', 3)],
    ]),
  );
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
