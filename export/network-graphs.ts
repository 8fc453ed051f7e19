import { EMOTION_COUNT, MODALITIES, type Modality } from '../common/labels.js';
import type { StateDict } from '../common/safetensors.js';
import type { BranchOutput } from '../models/attention-bilstm.js';
import { faceNetwork } from '../models/face.js';
import { BRANCH_PREFIX, branchFeatures, fusionNetwork } from '../models/multimodal.js';
import type { ModelSpec } from '../models/spec.js';
import { speechNetwork } from '../models/speech.js';
import { textNetwork } from '../models/text.js';
import { MEL_BANDS } from '../preprocessing/features.js';
import { foldBatchNorm } from './fold-batch-norm.js';
import { type Dimension, GraphWriter, type OnnxGraph } from './onnx-graph.js';
import { type OnnxKinds, OnnxOps } from './onnx-ops.js';

/** The names that the open dimensions have in the files. */
const TIME: Record<Modality, string> = { speech: 'steps', face: 'frames', text: 'words' };

/**
 * One branch as an ONNX graph with the inputs and outputs that `bundleSchema` states.
 *
 * @param state the parameters, in PyTorch's names
 * @param prefix what stands before the branch's parameter names: '' in a unimodal state, BRANCH_PREFIX in a multimodal
 */
export function branchGraph(modality: Modality, spec: ModelSpec, state: StateDict, prefix: string): OnnxGraph {
  const graph = new GraphWriter();
  const ops = new OnnxOps(graph, state);
  const branch = writeBranch(modality, spec, graph, ops, prefix);
  writeOutputs(modality, spec, graph, branch);
  return foldBatchNorm(graph.finish());
}

/** The fusion of a multimodal network as an ONNX graph: three features and the presence mask in, logits out. */
export function fusionGraph(spec: ModelSpec, state: StateDict): OnnxGraph {
  const graph = new GraphWriter();
  const ops = new OnnxOps(graph, state);
  const sizes = branchFeatures(spec);
  const features: Record<Modality, string> = { speech: '', face: '', text: '' };
  for (const modality of MODALITIES) features[modality] = graph.input(modality, 'float32', ['batch', sizes[modality]]);
  const presence = presenceInput(graph);
  graph.output(fusionNetwork<OnnxKinds>(ops, spec, features, presence), 'logits', ['batch', EMOTION_COUNT]);
  return graph.finish();
}

/**
 * Branches and fusion of a multimodal network as one ONNX graph. Inputs and outputs are those of the parts, each with
 * the name of its modality before it where several parts have it: `speech_lengths`, `face_feature`. `logits` are the
 * fused ones.
 *
 * @param modalities the branches to write; any other's feature reaches the fusion as zeros
 */
export function singleGraph(spec: ModelSpec, state: StateDict, modalities: readonly Modality[]): OnnxGraph {
  const graph = new GraphWriter();
  const ops = new OnnxOps(graph, state);
  const sizes = branchFeatures(spec);
  const branches = new Map(
    modalities.map((modality) => [
      modality,
      writeBranch(modality, spec, graph, ops, BRANCH_PREFIX[modality], `${modality}_`),
    ]),
  );
  const presence = presenceInput(graph);
  const zeros = (features: number) => {
    const batch = graph.node('Shape', [presence], { start: 0, end: 1 });
    const shape = graph.node('Concat', [batch, graph.ints([features])], { axis: 0 });
    return graph.node('Expand', [graph.scalar(0), shape]);
  };
  const feature = (modality: Modality) => branches.get(modality)?.feature ?? zeros(sizes[modality]);
  const features = { speech: feature('speech'), face: feature('face'), text: feature('text') };
  graph.output(fusionNetwork<OnnxKinds>(ops, spec, features, presence), 'logits', ['batch', EMOTION_COUNT]);
  for (const [modality, branch] of branches) writeOutputs(modality, spec, graph, branch, `${modality}_`);
  return foldBatchNorm(graph.finish());
}

function presenceInput(graph: GraphWriter): string {
  return graph.input('presence', 'float32', ['batch', MODALITIES.length]);
}

function writeOutputs(
  modality: Modality,
  spec: ModelSpec,
  graph: GraphWriter,
  { feature, logits, attention }: BranchOutput<OnnxKinds>,
  before = '',
): void {
  graph.output(feature, `${before}feature`, ['batch', branchFeatures(spec)[modality]]);
  graph.output(logits, `${before}logits`, ['batch', EMOTION_COUNT]);
  graph.output(attention, `${before}attention`, ['batch', TIME[modality]]);
}

/** @param before what stands before the names of inputs that other branches have as well */
function writeBranch(
  modality: Modality,
  spec: ModelSpec,
  graph: GraphWriter,
  ops: OnnxOps,
  prefix: string,
  before = '',
): BranchOutput<OnnxKinds> {
  const open = (name: string, type: 'float32' | 'uint8', shape: Dimension[]) => ({
    value: graph.input(name, type, ['batch', ...shape]),
    counts: graph.input(`${before}lengths`, 'int32', ['batch']),
  });
  const steps = (value: string) => graph.node('Shape', [value], { start: 1, end: 2 });
  switch (modality) {
    case 'speech': {
      const { value, counts } = open('log_mel', 'float32', [1, MEL_BANDS, 'time']);
      return speechNetwork(ops, spec, { logMel: { value, height: MEL_BANDS, width: null }, lengths: counts }, prefix);
    }
    case 'face': {
      const size = spec.faceSize;
      const input = open('frames', 'uint8', [TIME.face, size, size, 3]);
      const gain = graph.input('gain', 'float32', [1]);
      return faceNetwork(ops, spec, { ...input, size, gain, steps: steps(input.value) }, prefix);
    }
    case 'text': {
      const input = open('words', 'float32', [TIME.text, spec.wordDim]);
      return textNetwork(ops, spec, { ...input, layout: 'btf', steps: steps(input.value) }, prefix);
    }
  }
}
