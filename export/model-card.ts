import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Bundle } from '../common/bundle.js';
import { MODALITIES } from '../common/labels.js';
import { PROJECT_ROOT } from '../common/paths.js';
import { VERSION } from '../common/version.js';
import { BRANCH_PREFIX } from '../models/multimodal.js';
import { networkParameters, parameterCount } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { describeOrigin, type Origins, randomBackbones } from '../training/weights/origin.js';
import { OPSET } from './onnx-graph.js';

export const CARD_FILE = 'MODEL_CARD.md';

const LICENCE = path.join(PROJECT_ROOT, 'export', 'licences', 'facenet-pytorch.txt');

const OUTPUT_NAMES: Record<string, string> = {
  inte: 'all modalities',
  speech: 'speech alone',
  face: 'face alone',
  text: 'words alone',
};

/** The text of a bundle's MODEL_CARD.md: what it is, what was measured, what it is for and what it is not for. */
export async function modelCard(bundle: Bundle, checkpoint: Pick<Checkpoint, 'spec' | 'origins'>): Promise<string> {
  const { spec, origins } = checkpoint;
  return `# ${bundle.name}

Recognises one of seven emotions (${bundle.emotions.join(', ')}) in a clip of one person, from the voice, the face and the
words, each of which may be missing. Version ${bundle.version}, exported ${bundle.created} by mer ${VERSION}.

## Networks
| file | network | parameters | bytes |
| --- | --- | --- | --- |
${networkRows(bundle, spec)}

ONNX opset ${OPSET}, float32; batch and time are open dimensions. The face detector (MTCNN) is in pnet.onnx, rnet.onnx and onet.onnx.

## Accuracy
${accuracy(bundle)}

## Equality with the trained network
Every logit of ONNX Runtime equals that of TensorFlow within ${bundle.parity.tolerance} * max(1, |logit|), in float32 on the CPU: the
largest error seen was ${bundle.parity.maxError.toExponential(1)}, at ${bundle.parity.sizes} sizes of every input, in padded batches and alone.

## Training
The weights of each branch began so:
${startingWeights(spec, origins)}

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
The networks are the work of whoever trained them and carry the terms of their training data. The three MTCNN nets come
from facenet-pytorch:

${(await fsp.readFile(LICENCE, 'utf8')).trim()}
`;
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
    ...MODALITIES.map(
      (modality) =>
        `| ${branches[modality]?.file} | ${networks[modality]} | ${count(BRANCH_PREFIX[modality])} | ${branches[modality]?.bytes} |`,
    ),
    `| ${fusion?.file} | ${spec.fusion} fusion of the three features | ${parameterCount(fused).toLocaleString('en')} | ${fusion?.bytes} |`,
  ].join('\n');
}

function wordSource({ preprocessing: { wordTable } }: Bundle): string {
  return wordTable === null ? ', given as vectors' : `, of the word-vector table with sha256 ${wordTable}`;
}

function coefficient(value: ModelSpec['faceCoefficient']): string {
  return value === 'tiny' ? value : `b${value}`;
}

function startingWeights(spec: ModelSpec, origins: Origins): string {
  const random = randomBackbones(spec, origins);
  return MODALITIES.map((modality) => {
    const origin = origins[modality];
    if (!origin) return `- ${modality}: not recorded`;
    const remark = random.includes(modality) ? ' (the reference starts its EfficientNet from ImageNet)' : '';
    return `- ${modality}: ${describeOrigin(origin)}${remark}`;
  }).join('\n');
}

function accuracy(bundle: Bundle): string {
  if (Object.keys(bundle.metrics).length === 0) {
    return 'Not measured: the weights were imported. `mer evaluate` measures it on clips of yours.';
  }
  return `On the validation clips of the run, against the integrated label (chance is ${(1 / bundle.emotions.length).toFixed(3)}):

| output | clips | accuracy | macro-F1 | negative log-likelihood |
| --- | --- | --- | --- | --- |
${metricRows(bundle)}

These figures hold for clips like those that it was trained on, and say little about others.`;
}

function metricRows({ metrics }: Bundle): string {
  const rows = Object.entries(metrics).map(([output, { clips, accuracy, macroF1, nll }]) => {
    const name = OUTPUT_NAMES[output] ?? output;
    return `| ${name} | ${clips} | ${accuracy.toFixed(3)} | ${macroF1.toFixed(3)} | ${nll.toFixed(3)} |`;
  });
  return rows.join('\n');
}
