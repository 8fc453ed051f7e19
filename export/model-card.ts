import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Bundle } from '../common/bundle.js';
import { writeFileAtomic } from '../common/files.js';
import { EMOTIONS, MODALITIES } from '../common/labels.js';
import { PROJECT_ROOT } from '../common/paths.js';
import { confusionSvg } from '../common/plots/confusion.js';
import { VERSION } from '../common/version.js';
import { BRANCH_PREFIX } from '../models/multimodal.js';
import { networkParameters, parameterCount } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { type Checkpoint, readCheckpoint } from '../training/checkpoint.js';
import { describeOrigin, type Origins, randomBackbones } from '../training/weights/origin.js';
import { FOLDS } from './calibration/calibrate.js';
import { trainCommand } from './card/commands.js';
import { dataSection } from './card/data.js';
import { calibrationTable, classTable, outputTable, reliabilityPlot, subsetTable } from './card/figures.js';
import { describeVariant } from './describe-variant.js';
import { branchesOf } from './export-source.js';
import type { Measurements } from './measure.js';
import { OPSET } from './onnx-graph.js';

export const CARD_FILE = 'MODEL_CARD.md';
/** The plots beside it. */
export const CONFUSION_FILE = 'confusion.svg';
export const RELIABILITY_FILE = 'reliability.svg';

const LICENCE = path.join(PROJECT_ROOT, 'export', 'licences', 'facenet-pytorch.txt');

/** What a card tells of. */
export interface CardSource {
  bundle: Bundle;
  checkpoint: Pick<Checkpoint, 'spec' | 'origins' | 'config'>;
  /** What was measured on the validation clips, or in words why nothing was. */
  measured: Measurements | string;
  /** Where the features of the run are, if they are not where its configuration says. */
  featuresDir?: string | undefined;
  /** The command that made the bundle. */
  command: string;
}

/** Writes MODEL_CARD.md and its plots into a bundle's folder. */
export async function writeModelCard(directory: string, source: CardSource): Promise<void> {
  const { bundle, measured } = source;
  const { confusion, clips, accuracy } = bundle.metrics.inte ?? {};
  if (confusion !== undefined) {
    const title = `${clips} validation clips, accuracy ${accuracy?.toFixed(3)}`;
    await writeFileAtomic(path.join(directory, CONFUSION_FILE), confusionSvg(confusion, EMOTIONS, title));
  }
  if (typeof measured !== 'string') {
    await writeFileAtomic(path.join(directory, RELIABILITY_FILE), reliabilityPlot(measured));
  }
  await writeFileAtomic(path.join(directory, CARD_FILE), await modelCard(source));
}

/** The text of a bundle's MODEL_CARD.md: what it is, what was measured, what it is for and what it is not for. */
export async function modelCard({ bundle, checkpoint, measured, featuresDir, command }: CardSource): Promise<string> {
  const { spec, origins, config } = checkpoint;
  const own = typeof config.features === 'string' ? config.features : undefined;
  return `# ${bundle.name}

Recognises one of seven emotions (${bundle.emotions.join(', ')}) in a clip of one person, from ${sensesOf(bundle)}.
Version ${bundle.version}, exported ${bundle.created} by mer ${VERSION}.

## Networks
| file | network | parameters | bytes |
| --- | --- | --- | --- |
${networkRows(bundle, spec)}

ONNX opset ${OPSET}, ${bundle.precision}; batch and time are open dimensions. The face detector (MTCNN) is in pnet.onnx, rnet.onnx and onet.onnx.

## Accuracy
${accuracySection(bundle, measured)}

## Calibration
${calibrationSection(measured)}

## Equality with the trained network
Every logit of ONNX Runtime${bundle.variant ? ', with the float32 files of which these are a variant,' : ''} equals that of TensorFlow within ${bundle.parity.tolerance} * max(1, |logit|), in float32 on the CPU: the
largest error seen was ${bundle.parity.maxError.toExponential(1)}, at ${bundle.parity.sizes} sizes of every input, in padded batches and alone.
${precisionSection(bundle)}
## Data
${await dataSection(featuresDir ?? own)}

## Training
The weights of each branch began so:
${startingWeights(bundle, spec, origins)}

${await commandSection(config, command)}

The whole configuration of the run:

\`\`\`json
${JSON.stringify(bundle.training, null, 2)}
\`\`\`
Preprocessing version ${bundle.preprocessing.version}, mode ${bundle.compat}; at most ${bundle.preprocessing.maxFrames} face frames (subject: ${bundle.preprocessing.subject}) of ${bundle.preprocessing.faceSize} x ${bundle.preprocessing.faceSize} pixels and ${bundle.preprocessing.maxWords} words of ${bundle.preprocessing.wordDim} dimensions${wordSource(bundle)}.

## Intended use and limits
For research and for experiments with clips of people who know and agree. It names the emotion that human annotators would
most probably have chosen, which is not what the person feels. Expect lower accuracy for other languages, ages, cultures,
cameras and microphones than those of the training clips; whether it treats groups of people alike was not measured.
Do not use it on people without telling them, and not to decide about anyone's work, education, health, credit or rights.
In the European Union, inferring emotions in workplaces and in education is prohibited but for medical or safety reasons
(Regulation (EU) 2024/1689, article 5), and elsewhere it is subject to duties of that regulation.

## Licences
The networks are the work of whoever trained them and carry the terms of their training data${carriedTerms(origins)}.
The three MTCNN nets come from facenet-pytorch:

${(await fsp.readFile(LICENCE, 'utf8')).trim()}
`;
}

/** Nothing for float32. */
function precisionSection({ precision, variant }: Bundle): string {
  if (variant === undefined) return '';
  return `\n## Precision\n${precision} against the float32 export of the same weights: ${describeVariant(variant)}.\n`;
}

function sensesOf({ branches }: Bundle): string {
  const senses = { speech: 'the voice', face: 'the face', text: 'the words' };
  const found = MODALITIES.filter((modality) => branches[modality]).map((modality) => senses[modality]);
  if (found.length === 1) return `${found[0]} alone`;
  return `${found.slice(0, -1).join(', ')} and ${found.at(-1)}, each of which may be missing`;
}

function accuracySection({ metrics, emotions, branches }: Bundle, measured: Measurements | string): string {
  const { inte } = metrics;
  if (inte === undefined) {
    return `Not measured: ${typeof measured === 'string' ? measured : 'no clips'}. \`mer evaluate\` measures it on clips of yours.`;
  }
  const parts = [
    `On the validation clips of the run, against the integrated label (chance is ${(1 / emotions.length).toFixed(3)}), before calibration, ` +
      'which changes no prediction. The best epoch was chosen on these clips, so the figures are a little too good; they ' +
      'hold for clips like those, and say little about others. The intervals take clips as independent of each other.',
    outputTable(metrics, Object.keys(branches)),
  ];
  const classes = classTable(inte);
  if (classes) parts.push('Classes of the answer:', classes);
  if (inte.confusion) parts.push(`![Confusion matrix of the answer](${CONFUSION_FILE})`);
  if (typeof measured === 'string') parts.push(`Each subset of modalities was not measured: ${measured}.`);
  else if (Object.keys(measured.subsets).length > 1) {
    parts.push('What the answer is worth from each set of modalities, over the clips that have all of the set:');
    parts.push(subsetTable(measured));
  }
  return parts.join('\n\n');
}

function calibrationSection(measured: Measurements | string): string {
  if (typeof measured === 'string') return `None, probabilities are as the network gives them: ${measured}.`;
  return [
    'Probabilities are softmax(logits / temperature), with one temperature for each set of modalities that a clip has and one ' +
      "for each modality's own scores, fitted by the negative log-likelihood (NLL) on the validation clips (Guo et al. 2017, " +
      `arXiv 1706.04599). "After" is measured by cross-fitting in ${FOLDS} folds, by speaker where speakers are known: no clip ` +
      'is scored at a temperature that it helped to fit. ECE is the expected calibration error over 15 bins.',
    calibrationTable(measured),
    `![Reliability of the served answer before and after calibration](${RELIABILITY_FILE})`,
  ].join('\n\n');
}

/** The commands that trained the run and its branches, as far as they are known, and the one that exported it. */
async function commandSection(config: Record<string, unknown>, command: string): Promise<string> {
  const lines: string[] = [];
  for (const modality of MODALITIES) {
    const file = config[`${modality}_load_weights`];
    const branch = typeof file === 'string' ? await readCheckpoint(file).catch(() => null) : null;
    const line = branch && trainCommand(branch.config);
    if (line) lines.push(line);
  }
  const own = trainCommand(config);
  return ['```', ...lines, ...(own ? [own] : []), command, '```'].join('\n');
}

/** What the first weights add to the terms. */
function carriedTerms(origins: Origins): string {
  const found = MODALITIES.filter((modality) => origins[modality]?.backbone ?? origins[modality]?.imported);
  return found.length === 0 ? '' : `, and those of the weights that ${found.join(' and ')} began with (see Training)`;
}

function networkRows({ branches, fusion }: Bundle, spec: ModelSpec): string {
  const parameters = networkParameters(spec);
  const count = (prefix: string) =>
    parameterCount(parameters.filter(({ name }) => name.startsWith(prefix))).toLocaleString('en');
  const networks = {
    speech: `EfficientNet-${coefficient(spec.speechCoefficient)} and attention BiLSTM over log-mel frames`,
    face: `EfficientNet-${coefficient(spec.faceCoefficient)} and attention BiLSTM over face crops`,
    text: `Transformer encoder, ${spec.textLayers} layers, ${spec.textHeads} heads, over word vectors`,
  };
  const branchPrefixes = Object.values(BRANCH_PREFIX);
  const fused = parameters.filter(({ name }) => !branchPrefixes.some((prefix) => name.startsWith(prefix)));
  return [
    ...branchesOf(spec).flatMap(({ modality, prefix }) => {
      const branch = branches[modality];
      return branch ? [`| ${branch.file} | ${networks[modality]} | ${count(prefix)} | ${branch.bytes} |`] : [];
    }),
    ...(fusion
      ? [
          `| ${fusion.file} | ${spec.fusion} fusion of the three features | ${parameterCount(fused).toLocaleString('en')} | ${fusion.bytes} |`,
        ]
      : []),
  ].join('\n');
}

function wordSource({ preprocessing: { wordTable } }: Bundle): string {
  return wordTable === null ? ', given as vectors' : `, of the word-vector table with sha256 ${wordTable}`;
}

function coefficient(value: ModelSpec['faceCoefficient']): string {
  return value === 'tiny' ? value : `b${value}`;
}

function startingWeights({ branches }: Bundle, spec: ModelSpec, origins: Origins): string {
  const random = randomBackbones(spec, origins);
  return branchesOf(spec)
    .filter(({ modality }) => branches[modality])
    .map(({ modality }) => {
      const origin = origins[modality];
      if (!origin) return `- ${modality}: not recorded`;
      const remark = random.includes(modality) ? ' (the reference starts its EfficientNet from ImageNet)' : '';
      return `- ${modality}: ${describeOrigin(origin)}${remark}`;
    })
    .join('\n');
}
