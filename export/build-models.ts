import fs from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../common/files.js';
import { writeSafetensors } from '../common/safetensors.js';
import { IR_VERSION, type OnnxGraph, OPSET } from './onnx-graph.js';
import { runPython } from './run-python.js';

export interface ModelSource {
  graph: OnnxGraph;
  /** Stored in the file as metadata properties. */
  metadata: Record<string, string>;
}

/**
 * Builds, checks and writes `directory`/NAME.onnx for each of `models`, in a child process with Python's `onnx`.
 * The sources that the child reads lie in the same folder and are removed afterwards.
 *
 * @param version of this program, for the files' producer field
 * @throws MerError those of {@link runPython}
 */
export async function buildModels(
  models: Readonly<Record<string, ModelSource>>,
  directory: string,
  version: string,
): Promise<void> {
  const sources: string[] = [];
  try {
    for (const [name, { graph, metadata }] of Object.entries(models)) {
      const { initializers, ...rest } = graph;
      const source = { ...rest, opset: OPSET, irVersion: IR_VERSION, producer: { name: 'mer', version }, metadata };
      const files = ['json', 'safetensors'].map((extension) => path.join(directory, `${name}.${extension}`));
      sources.push(...files);
      await writeFileAtomic(files[0]!, JSON.stringify(source));
      await writeSafetensors(files[1]!, initializers);
    }
    await runPython('build_model.py', [directory]);
  } finally {
    await Promise.all(sources.map((file) => fs.promises.rm(file, { force: true })));
  }
}
