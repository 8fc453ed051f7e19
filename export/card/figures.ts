import type { z } from 'zod';
import type { metricsSchema } from '../../common/bundle.js';
import { EMOTIONS, MODALITIES } from '../../common/labels.js';
import { type ReliabilityBin, reliabilityBins } from '../../common/metrics.js';
import { reliabilitySvg } from '../../common/plots/reliability.js';
import { formatMarkdownTable } from '../../common/table.js';
import { LEAST_CLIPS } from '../calibration/calibrate.js';
import type { MeasuredOutput, Measurements } from '../measure.js';

type Metrics = z.infer<typeof metricsSchema>;

const METRIC_COLUMNS = ['clips', 'accuracy', '95 % interval', 'macro-F1', 'NLL', 'ECE'];

/** Accuracy and the like of each output: `inte`, and each modality alone. */
export function outputTable(metrics: Record<string, Metrics>, branches: readonly string[]): string {
  const names: Record<string, string> = { inte: branches.length > 1 ? 'fused, all that a clip has' : branches.join() };
  const rows = Object.entries(metrics).map(([output, own]) => [
    names[output] ?? `${output} alone`,
    ...metricCells(own),
  ]);
  return formatMarkdownTable(['output', ...METRIC_COLUMNS], rows);
}

/** Precision, recall and F1 of each class; undefined for metrics that do not hold them. */
export function classTable({ classes }: Metrics): string | undefined {
  if (classes === undefined) return undefined;
  const rows = EMOTIONS.flatMap((emotion) => {
    const scores = classes[emotion];
    if (scores === undefined) return [];
    const { clips, precision, recall, f1 } = scores;
    return [[emotion, String(clips), ...[precision, recall, f1].map((value) => value.toFixed(3))]];
  });
  return formatMarkdownTable(['class', 'clips', 'precision', 'recall', 'F1'], rows);
}

/** The fused answer from each set of modalities, before calibration, over the clips that have all of the set. */
export function subsetTable({ subsets }: Measurements): string {
  const rows = Object.entries(subsets)
    .sort(([a], [b]) => order(a) - order(b))
    .map(([name, { metrics }]) => [names(name), ...metricCells(metrics.before)]);
  return formatMarkdownTable(['from', ...METRIC_COLUMNS], rows);
}

/** The temperature of each set of modalities and of each modality's own scores, and what it changes. */
export function calibrationTable({ subsets, heads, served }: Measurements): string {
  const row = (name: string, temperature: string, { before, after }: MeasuredOutput['metrics']) => [
    name,
    String(before.clips),
    temperature,
    ...[before.nll, after.nll, before.ece, after.ece].map((value) => value.toFixed(3)),
  ];
  const fitted = ({ temperature, fitted: isFitted }: MeasuredOutput) => (isFitted ? temperature.toFixed(3) : '1 *');
  const rows = Object.entries(subsets)
    .sort(([a], [b]) => order(a) - order(b))
    .map(([name, output]) => row(names(name), fitted(output), output.metrics));
  for (const modality of MODALITIES) {
    const output = heads[modality];
    if (output && rows.length > 1) rows.push(row(`${modality}'s own scores`, fitted(output), output.metrics));
  }
  if (rows.length > 1) rows.push(row('**as served**', 'of its set', served.metrics));
  const header = ['scores', 'clips', 'temperature', 'NLL before', 'NLL after', 'ECE before', 'ECE after'];
  const table = formatMarkdownTable(header, rows);
  const isShort = [...Object.values(subsets), ...Object.values(heads)].some((output) => !output?.fitted);
  return isShort ? `${table}\n\n\\* fewer than ${LEAST_CLIPS} clips: too few to fit, so nothing is changed.` : table;
}

/** The reliability diagrams of the served answer, before and after calibration. */
export function reliabilityPlot({ served: { labels, before, after, metrics } }: Measurements): string {
  const panel = (title: string, bins: ReliabilityBin[], { ece, nll }: { ece: number; nll: number }) => {
    return { title, note: `ECE ${ece.toFixed(3)}, NLL ${nll.toFixed(3)}`, bins };
  };
  return reliabilitySvg([
    panel('As the network says', reliabilityBins(before, labels), metrics.before),
    panel('Calibrated (cross-fitted)', reliabilityBins(after, labels), metrics.after),
  ]);
}

function metricCells({ clips, accuracy, macroF1, nll, ece }: Metrics): string[] {
  const [low, high] = wilsonInterval(accuracy, clips);
  const [a, f1, loss, error] = [accuracy, macroF1, nll, ece].map((value) => value?.toFixed(3) ?? '–');
  return [String(clips), a!, `${low.toFixed(3)} to ${high.toFixed(3)}`, f1!, loss!, error!];
}

/** 95 % interval of a share of `clips` trials (Wilson 1927). */
export function wilsonInterval(share: number, clips: number): [low: number, high: number] {
  if (clips === 0) return [0, 1];
  const z2 = 1.96 ** 2;
  const centre = (share + z2 / (2 * clips)) / (1 + z2 / clips);
  const half = (1.96 / (1 + z2 / clips)) * Math.sqrt((share * (1 - share)) / clips + z2 / (4 * clips * clips));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

function names(subset: string): string {
  return subset.split('+').join(' + ');
}

/** Larger sets first. */
function order(subset: string): number {
  return -subset.split('+').length;
}
