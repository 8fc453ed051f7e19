import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { writeFileAtomic } from '../common/files.js';
import { PROJECT_ROOT, VENV_PYTHON } from '../common/paths.js';
import { writeSafetensors } from '../common/safetensors.js';
import { IR_VERSION, type OnnxGraph, OPSET } from './onnx-graph.js';

const SCRIPT = path.join(PROJECT_ROOT, 'export', 'python', 'build_model.py');

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
 * @throws MerError missing_part without the private Python; internal with what the child said when a graph is refused
 */
export async function buildModels(
  models: Readonly<Record<string, ModelSource>>,
  directory: string,
  version: string,
): Promise<void> {
  if (!fs.existsSync(VENV_PYTHON)) {
    throw new MerError(
      'missing_part',
      `The export needs a Python of its own, which is not at ${VENV_PYTHON}.`,
      'Run `npm run setup -- --for export`.',
    );
  }
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
    await runPython([SCRIPT, directory]);
  } finally {
    await Promise.all(sources.map((file) => fs.promises.rm(file, { force: true })));
  }
}

/** Runs the private Python. @throws MerError internal with the last line that it wrote to stderr */
function runPython(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // Isolated (-I): no package of the user's own can take the place of a pinned one.
    execFile(VENV_PYTHON, ['-I', ...args], (error, _stdout, stderr) => {
      if (!error) return resolve();
      const last = stderr.trim().split('\n').at(-1) || error.message;
      reject(
        new MerError(
          'internal',
          `The ONNX files could not be built: ${last}`,
          'Report this with the command you ran.',
          {
            cause: error,
          },
        ),
      );
    });
  });
}
