import type { Calibration } from '../common/bundle.js';
import { MODALITIES, type Modality } from '../common/labels.js';
import { type ClassificationMetrics, classificationMetrics } from '../common/metrics.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { labelsOf } from '../training/data/dataset.js';
import { type Calibrated, calibrate, FOLDS } from './calibration/calibrate.js';
import { assignFolds } from './calibration/folds.js';
import type { LogitRows, ValidationLogits } from './validation-logits.js';

/** What one set of logits is worth on the validation clips. */
export interface MeasuredOutput extends Calibrated {
  /** As the network gives them, and at temperatures that were fitted on other clips. */
  metrics: { before: ClassificationMetrics; after: ClassificationMetrics };
}

/** What was measured with exported graphs on the validation clips. */
export interface Measurements {
  /** The integrated logits of every subset of modalities, by `subsetName`, against the integrated label. */
  subsets: Record<string, MeasuredOutput>;
  /** Each modality's own logits, against the label that they learned. */
  heads: Partial<Record<Modality, MeasuredOutput>>;
  /** What is served: each clip with all the modalities that it has, at the temperature of these. */
  served: Omit<MeasuredOutput, 'temperature' | 'fitted'>;
  /** Metrics against the integrated label by output, as validation has them: `inte` and each modality. */
  outputs: Record<string, ClassificationMetrics>;
}

/** Draws the folds where the checkpoint names no seed. */
const SEED = 1234;

/** Fits the temperatures and measures every subset and head. The run's own seed draws the folds. */
export function measure(
  { records, subsets, heads }: ValidationLogits,
  checkpoint: Pick<Checkpoint, 'spec' | 'config'>,
): Measurements {
  const seed = typeof checkpoint.config.seed === 'number' ? checkpoint.config.seed : SEED;
  const folds = assignFolds(records, FOLDS, seed);
  const labels = records.map(labelsOf);
  const calibrated = (rows: LogitRows, label: Label): MeasuredOutput => {
    const found = calibrate(rows, (clip) => labels[clip]![label], folds);
    return { ...found, metrics: metricsOf(found) };
  };
  const measured: Measurements['subsets'] = {};
  for (const [name, rows] of Object.entries(subsets)) measured[name] = calibrated(rows, 'inte');
  const served = servedAnswers(subsets, measured, records.length);
  const own: Measurements['heads'] = {};
  const outputs: Measurements['outputs'] = { inte: served.metrics.before };
  for (const modality of MODALITIES) {
    const rows = heads[modality];
    if (rows === undefined) continue;
    own[modality] = calibrated(rows, headLabel(modality, checkpoint));
    if (checkpoint.spec.mode === 'multimodal') outputs[modality] = calibrated(rows, 'inte').metrics.before;
  }
  return { subsets: measured, heads: own, served, outputs };
}

type Label = 'inte' | 'face' | 'speech';

/** The label that a modality's own logits learned: its own in multimodal training, else the integrated one. */
function headLabel(modality: Modality, { spec, config }: Pick<Checkpoint, 'spec' | 'config'>): Label {
  const learnedOwn = config.modality_heads === true || Number(config.lam) > 0;
  return modality !== 'text' && spec.mode === 'multimodal' && learnedOwn ? modality : 'inte';
}

function metricsOf({ labels, before, after }: Pick<Calibrated, 'labels' | 'before' | 'after'>) {
  return { before: classificationMetrics(before, labels), after: classificationMetrics(after, labels) };
}

/** Of each clip what its largest subset says. */
function servedAnswers(
  subsets: Record<string, LogitRows>,
  measured: Measurements['subsets'],
  clips: number,
): Measurements['served'] {
  const size = (name: string) => name.split('+').length;
  const names = Object.keys(subsets).sort((a, b) => size(b) - size(a));
  const served: Pick<Calibrated, 'labels' | 'before' | 'after'> = { labels: [], before: [], after: [] };
  for (let clip = 0; clip < clips; clip++) {
    const name = names.find((subset) => subsets[subset]!.clips.includes(clip));
    if (name === undefined) continue;
    const row = subsets[name]!.clips.indexOf(clip);
    served.labels.push(measured[name]!.labels[row]!);
    served.before.push(measured[name]!.before[row]!);
    served.after.push(measured[name]!.after[row]!);
  }
  return { ...served, metrics: metricsOf(served) };
}

/** The temperatures that were fitted, for bundle.json; undefined where none was. */
export function calibrationOf({ subsets, heads }: Measurements): Calibration | undefined {
  const temperatures = (outputs: Partial<Record<string, MeasuredOutput>>) =>
    Object.fromEntries(
      Object.entries(outputs).flatMap(([name, output]) => (output?.fitted ? [[name, output.temperature]] : [])),
    );
  const calibration = { subsets: temperatures(subsets), heads: temperatures(heads) };
  const count = Object.keys(calibration.subsets).length + Object.keys(calibration.heads).length;
  return count === 0 ? undefined : calibration;
}
