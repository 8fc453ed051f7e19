import type { StateDict, StateTensor } from '../common/safetensors.js';
import type { OnnxGraph, OnnxNode } from './onnx-graph.js';

/**
 * Folds each BatchNormalization that follows a convolution into the convolution's weights and bias, computed in
 * float64: w' = w * g, b' = (b - mean) * g + beta with g = gamma / sqrt(variance + epsilon) a channel. The graph gets
 * smaller and any runtime is as fast as one that would fold by itself.
 */
export function foldBatchNorm(graph: OnnxGraph): OnnxGraph {
  const initializers: StateDict = new Map(graph.initializers);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const uses = new Map<string, number>();
  for (const input of graph.nodes.flatMap((node) => node.inputs)) uses.set(input, (uses.get(input) ?? 0) + 1);
  const nodes: OnnxNode[] = [];
  const producers = new Map<string, number>();
  for (const node of graph.nodes) {
    const [value] = node.inputs;
    const index = producers.get(value!);
    const convolution = index === undefined ? undefined : nodes[index];
    const foldable = convolution?.op === 'Conv' && uses.get(value!) === 1 && !outputs.has(value!);
    if (node.op === 'BatchNormalization' && foldable) {
      const folded = fold(convolution, node, initializers);
      nodes[index!] = folded;
      producers.set(folded.outputs[0]!, index!);
    } else {
      for (const output of node.outputs) producers.set(output, nodes.length);
      nodes.push(node);
    }
  }
  const used = new Set(nodes.flatMap((node) => node.inputs));
  for (const name of initializers.keys()) if (!used.has(name)) initializers.delete(name);
  return { ...graph, nodes, initializers };
}

function fold(convolution: OnnxNode, norm: OnnxNode, initializers: StateDict): OnnxNode {
  const [input, weightName, biasName] = convolution.inputs;
  const [gamma, beta, mean, variance] = norm.inputs.slice(1).map((name) => floats(initializers, name).data);
  const weight = floats(initializers, weightName!);
  const bias = biasName === undefined ? null : floats(initializers, biasName).data;
  const epsilon = Number(norm.attributes.epsilon);
  const channels = weight.shape[0]!;
  const size = weight.data.length / channels;
  const newWeight = new Float32Array(weight.data.length);
  const newBias = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const gain = gamma![channel]! / Math.sqrt(variance![channel]! + epsilon);
    newBias[channel] = ((bias?.[channel] ?? 0) - mean![channel]!) * gain + beta![channel]!;
    for (let i = channel * size; i < (channel + 1) * size; i++) newWeight[i] = weight.data[i]! * gain;
  }
  const names = [`${convolution.name}.folded_weight`, `${convolution.name}.folded_bias`];
  initializers.set(names[0]!, { dtype: 'F32', shape: weight.shape, data: newWeight });
  initializers.set(names[1]!, { dtype: 'F32', shape: [channels], data: newBias });
  return { ...convolution, inputs: [input!, ...names], outputs: norm.outputs };
}

function floats(initializers: StateDict, name: string): Extract<StateTensor, { dtype: 'F32' }> {
  const tensor = initializers.get(name);
  if (tensor?.dtype !== 'F32') throw new TypeError(`${name} is no float32 constant of the graph.`);
  return tensor;
}
