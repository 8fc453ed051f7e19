import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { PREPROCESSING_VERSION } from '../../common/bundle.js';
import { EMOTIONS, MODALITIES } from '../../common/labels.js';
import { VENV_PYTHON } from '../../common/paths.js';
import { buildModels } from '../../export/build-models.js';
import { takeInventory } from '../../export/inventory.js';
import { modelSources } from '../../export/model-sources.js';
import { GraphWriter, IR_VERSION, OPSET } from '../../export/onnx-graph.js';
import { convertPrecision } from '../../export/variant.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { TINY_SPEC, tinyState } from '../helpers/tiny-model.js';

/** What Python's own tools say of the files: the full check, strict shape inference, and ONNX Runtime for Python. */
const INSPECT = `
import json, sys, onnx, onnxruntime
from pathlib import Path
found = {}
for file in sorted(Path(sys.argv[1]).iterdir()):
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found[file.name] = {
        "opset": model.opset_import[0].version,
        "ir": model.ir_version,
        "outputs": [output.name for output in session.get_outputs()],
        "metadata": session.get_modelmeta().custom_metadata_map,
    }
print(json.dumps(found))
`;

test('every file passes onnx’s full check, loads in Python and says what it is', async () => {
  await inTemporaryFolder(async (directory) => {
    const state = tinyState();
    const parts = { modalities: MODALITIES, fusion: true, single: true };
    await buildModels(modelSources({ spec: TINY_SPEC, state }, 'a name', parts), directory, 'test');
    const { stdout } = await promisify(execFile)(VENV_PYTHON, ['-I', '-c', INSPECT, directory]);
    const file = (part: string, outputs: string[]) => ({
      opset: OPSET,
      ir: IR_VERSION,
      outputs,
      metadata: {
        name: 'a name',
        emotions: EMOTIONS.join(','),
        preprocessing_version: String(PREPROCESSING_VERSION),
        compat: 'default',
        part,
      },
    });
    const outputs = ['feature', 'logits', 'attention'];
    expect(JSON.parse(stdout)).toEqual({
      'speech.onnx': file('speech', outputs),
      'face.onnx': file('face', outputs),
      'text.onnx': file('text', outputs),
      'multimodal.onnx': file('fusion', ['logits']),
      'single.onnx': file('all', [
        'logits',
        ...MODALITIES.flatMap((name) => outputs.map((output) => `${name}_${output}`)),
      ]),
    });
  });
});

test.each(['fp16', 'int8'] as const)(
  'every %s file passes the same and keeps its inputs and outputs',
  async (precision) => {
    await inTemporaryFolder(async (directory) => {
      const [fp32, variant] = [path.join(directory, 'fp32'), path.join(directory, 'variant')];
      await Promise.all([fp32, variant].map((folder) => fsp.mkdir(folder)));
      const parts = { modalities: MODALITIES, fusion: true, single: true };
      await buildModels(modelSources({ spec: TINY_SPEC, state: tinyState() }, 'a name', parts), fp32, 'test');
      await convertPrecision(fp32, variant, precision);
      const { stdout } = await promisify(execFile)(VENV_PYTHON, ['-I', '-c', INSPECT, variant]);
      const found = z
        .record(z.string(), z.object({ metadata: z.record(z.string(), z.string()) }))
        .parse(JSON.parse(stdout));
      expect(Object.keys(found)).toEqual(['face.onnx', 'multimodal.onnx', 'single.onnx', 'speech.onnx', 'text.onnx']);
      for (const { metadata } of Object.values(found)) expect(metadata).toMatchObject({ precision, name: 'a name' });
      const { graphs } = await takeInventory(fp32, variant, TINY_SPEC, 4);
      const original = (await takeInventory(fp32, fp32, TINY_SPEC, 4)).graphs;
      for (const [name, { inputs, outputs, macs, operators }] of Object.entries(graphs)) {
        expect({ inputs, outputs, macs }).toEqual({
          inputs: original[name]!.inputs,
          outputs: original[name]!.outputs,
          macs: original[name]!.macs,
        });
        if (precision === 'int8') {
          // The matrix products and the LSTM, and nothing else: convolutions stay as they are.
          expect(operators.Conv).toBe(original[name]!.operators.Conv);
          expect(operators.DynamicQuantizeLSTM).toBe(original[name]!.operators.LSTM);
          expect(operators.MatMul ?? operators.Gemm ?? operators.LSTM).toBeUndefined();
        }
      }
    });
  },
);

test('a graph that is wrong is refused with the checker’s words, and its sources do not stay', async () => {
  await inTemporaryFolder(async (directory) => {
    const graph = new GraphWriter();
    const input = graph.input('x', 'float32', ['batch', 3]);
    graph.output(graph.node('MatMul', [input, graph.floats('w', [4, 2], new Float32Array(8))]), 'y', ['batch', 2]);
    const build = buildModels({ broken: { graph: graph.finish(), metadata: {} } }, directory, 'test');
    await expect(build).rejects.toMatchObject({ code: 'internal', message: expect.stringMatching(/broken: .*MatMul/) });
    expect(await fsp.readdir(path.join(directory))).toEqual([]);
  });
});
