import { describe, expect, test } from 'vitest';
import { EMOTION_COUNT, MODALITIES, type Modality } from '../../common/labels.js';
import { branchGraph, fusionGraph, singleGraph } from '../../export/network-graphs.js';
import type { OnnxGraph, OnnxNode } from '../../export/onnx-graph.js';
import { BRANCH_PREFIX, branchFeatures } from '../../models/multimodal.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

const state = tinyState();
const graphs = Object.fromEntries(
  MODALITIES.map((modality) => [modality, branchGraph(modality, TINY_SPEC, state, BRANCH_PREFIX[modality])]),
) as Record<Modality, OnnxGraph>;

function nodesOf(graph: OnnxGraph, op: string): OnnxNode[] {
  return graph.nodes.filter((node) => node.op === op);
}

/** The node that makes `value`. */
function producer(graph: OnnxGraph, value: string | undefined): OnnxNode | undefined {
  return graph.nodes.find(({ outputs }) => value !== undefined && outputs.includes(value));
}

describe('the exported graphs', () => {
  test.each(['speech', 'face'] as const)('%s: the only transposes are the image input’s and the LSTM’s', (modality) => {
    const graph = graphs[modality];
    const [lstm] = nodesOf(graph, 'LSTM');
    const expected = [
      producer(graph, lstm!.inputs[0]),
      graph.nodes.find(({ inputs }) => inputs[0] === lstm!.outputs[0]),
      ...(modality === 'face' ? [graph.nodes.find(({ op }) => op === 'Transpose')] : []),
    ];
    expect(new Set(nodesOf(graph, 'Transpose'))).toEqual(new Set(expected));
    if (modality === 'face') expect(producer(graph, expected[2]!.inputs[0])?.inputs[0]).toBe('frames');
  });

  test('all in one graph: the transposes are those of its parts', () => {
    const single = singleGraph(TINY_SPEC, state, MODALITIES);
    const parts = MODALITIES.flatMap((modality) => nodesOf(graphs[modality], 'Transpose'));
    expect(nodesOf(single, 'Transpose').map(({ attributes }) => attributes)).toEqual(
      parts.map(({ attributes }) => attributes),
    );
    expect(single.inputs.map(({ name }) => name)).toEqual([
      ...['log_mel', 'speech_lengths', 'frames', 'face_lengths', 'gain', 'words', 'text_lengths', 'presence'],
    ]);
  });

  test('text has no transpose', () => {
    expect(nodesOf(graphs.text, 'Transpose')).toEqual([]);
  });

  test('text has a real Attention operator a layer and two layer normalisations', () => {
    expect(nodesOf(graphs.text, 'Attention')).toHaveLength(TINY_SPEC.textLayers);
    expect(nodesOf(graphs.text, 'LayerNormalization')).toHaveLength(2 * TINY_SPEC.textLayers);
  });

  test.each(['speech', 'face'] as const)(
    '%s: batch normalisation is folded and its parameters are gone',
    (modality) => {
      const { nodes, initializers } = graphs[modality];
      expect(nodes.map(({ op }) => op)).not.toContain('BatchNormalization');
      expect([...initializers.keys()].filter((name) => name.includes('running_'))).toEqual([]);
    },
  );

  test.each(['speech', 'face'] as const)('%s: the LSTM knows how long each row is', (modality) => {
    const graph = graphs[modality];
    const [lstm] = nodesOf(graph, 'LSTM');
    const lengths = lstm!.inputs[4];
    expect(modality === 'face' ? lengths : producer(graph, lengths)?.op).toBe(modality === 'face' ? 'lengths' : 'Cast');
  });

  test.each(MODALITIES)('%s: every value is made before it is used, and every constant is used', (modality) => {
    const { inputs, nodes, outputs, initializers } = graphs[modality];
    const known = new Set([...inputs.map(({ name }) => name), ...initializers.keys()]);
    for (const node of nodes) {
      expect(node.inputs.filter((name) => !known.has(name))).toEqual([]);
      for (const output of node.outputs) known.add(output);
    }
    expect(outputs.filter(({ name }) => !known.has(name))).toEqual([]);
    const used = new Set(nodes.flatMap((node) => node.inputs));
    expect([...initializers.keys()].filter((name) => !used.has(name))).toEqual([]);
  });

  test('have the inputs and outputs that bundle.json promises', () => {
    const features = branchFeatures(TINY_SPEC);
    const lengths = { name: 'lengths', type: 'int32', shape: ['batch'] };
    const inputs = {
      speech: { name: 'log_mel', type: 'float32', shape: ['batch', 1, 128, 'time'] },
      face: { name: 'frames', type: 'uint8', shape: ['batch', 'frames', 56, 56, 3] },
      text: { name: 'words', type: 'float32', shape: ['batch', 'words', 24] },
    };
    const steps = { speech: 'steps', face: 'frames', text: 'words' };
    for (const modality of MODALITIES) {
      const graph = graphs[modality];
      const gain = { name: 'gain', type: 'float32', shape: [1] };
      expect(graph.inputs).toEqual([inputs[modality], lengths, ...(modality === 'face' ? [gain] : [])]);
      expect(graph.outputs).toEqual([
        { name: 'feature', type: 'float32', shape: ['batch', features[modality]] },
        { name: 'logits', type: 'float32', shape: ['batch', EMOTION_COUNT] },
        { name: 'attention', type: 'float32', shape: ['batch', steps[modality]] },
      ]);
    }
    const fusion = fusionGraph(TINY_SPEC, state);
    expect(fusion.inputs).toEqual([
      ...MODALITIES.map((name) => ({ name, type: 'float32', shape: ['batch', features[name]] })),
      { name: 'presence', type: 'float32', shape: ['batch', 3] },
    ]);
    expect(fusion.outputs).toEqual([{ name: 'logits', type: 'float32', shape: ['batch', EMOTION_COUNT] }]);
  });
});
