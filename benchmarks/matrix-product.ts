import path from 'node:path';
import { VERSION } from '../common/version.js';
import { buildModels } from '../export/build-models.js';
import { GraphWriter } from '../export/onnx-graph.js';

/** Rows and columns: large enough for full speed, and a few milliseconds a run. */
const SIZE = 1024;

/** Writes the product of two square float32 matrices as an ONNX file. @throws MerError missing_part */
export async function buildMatrixProduct(folder: string): Promise<{ file: string; macs: number }> {
  const graph = new GraphWriter();
  const inputs = ['left', 'right'].map((name) => graph.input(name, 'float32', [SIZE, SIZE]));
  graph.output(graph.node('MatMul', inputs), 'product', [SIZE, SIZE]);
  await buildModels({ product: { graph: graph.finish(), metadata: {} } }, folder, VERSION);
  return { file: path.join(folder, 'product.onnx'), macs: SIZE ** 3 };
}
