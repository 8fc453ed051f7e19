import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildModels } from '../../export/build-models.js';
import type { OnnxGraph } from '../../export/onnx-graph.js';
import { inTemporaryFolder } from './temporary-folder.js';

/** Builds graphs as the export does and opens each of them; the files are gone afterwards. */
export async function openGraphs<N extends string>(graphs: Record<N, OnnxGraph>): Promise<Record<N, InferenceSession>> {
  const names = Object.keys(graphs) as N[];
  return inTemporaryFolder(async (directory) => {
    const sources = Object.fromEntries(names.map((name) => [name, { graph: graphs[name], metadata: {} }]));
    await buildModels(sources, directory, 'test');
    const sessions = {} as Record<N, InferenceSession>;
    for (const name of names) {
      sessions[name] = await InferenceSession.create(path.join(directory, `${name}.onnx`), { intraOpNumThreads: 2 });
    }
    return sessions;
  });
}

/** A tensor of the type that the array is of. */
export function tensor(data: Float32Array | Uint8Array | Int32Array, shape: number[]): Tensor {
  if (data instanceof Float32Array) return new Tensor('float32', data, shape);
  return data instanceof Uint8Array ? new Tensor('uint8', data, shape) : new Tensor('int32', data, shape);
}

/** Runs a session; its outputs are copied out. */
export async function runSession(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Float32Array>> {
  const outputs = await session.run(feeds);
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => {
      if (!(data instanceof Float32Array)) throw new TypeError(`output ${name} is not float32`);
      return [name, Float32Array.from(data)];
    }),
  );
}

export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Array.from(expected).reduce((largest, value, i) => {
    const difference = Math.abs(value - actual[i]!);
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
  }, 0);
}
