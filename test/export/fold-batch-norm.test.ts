import { expect, test } from 'vitest';
import { Random } from '../../common/random.js';
import { foldBatchNorm } from '../../export/fold-batch-norm.js';
import { GraphWriter, type OnnxGraph } from '../../export/onnx-graph.js';
import { largestDifference, openGraphs, runSession, tensor } from '../helpers/onnx-files.js';

const CHANNELS = 3;

/** A 3 x 3 convolution with a bias, and its batch normalisation; with `tapped`, the convolution is an output as well. */
function normalizedConvolution(tapped: boolean): OnnxGraph {
  const random = new Random(7);
  const graph = new GraphWriter();
  const floats = (name: string, shape: number[], low: number, high: number) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return graph.floats(
      name,
      shape,
      Float32Array.from({ length: count }, () => random.between(low, high)),
    );
  };
  const image = graph.input('image', 'float32', ['batch', 2, 'height', 'width']);
  const weight = floats('weight', [CHANNELS, 2, 3, 3], -1, 1);
  const convolution = graph.node('Conv', [image, weight, floats('bias', [CHANNELS], -1, 1)], { pads: [1, 1, 1, 1] });
  const parameters = [
    floats('gamma', [CHANNELS], -2, 2),
    floats('beta', [CHANNELS], -1, 1),
    floats('mean', [CHANNELS], -1, 1),
    floats('variance', [CHANNELS], 0.01, 4),
  ];
  const normalized = graph.node('BatchNormalization', [convolution, ...parameters], { epsilon: 1e-3 });
  const shape = ['batch', CHANNELS, 'height', 'width'];
  graph.output(normalized, 'normalized', shape);
  if (tapped) graph.output(convolution, 'convolved', shape);
  return graph.finish();
}

test('a folded convolution computes what convolution and batch normalisation did', async () => {
  const whole = normalizedConvolution(false);
  const folded = foldBatchNorm(whole);
  expect(folded.nodes.map(({ op }) => op)).toEqual(['Conv']);
  const random = new Random(8);
  const image = tensor(
    Float32Array.from({ length: 2 * 2 * 5 * 4 }, () => random.normal()),
    [2, 2, 5, 4],
  );
  const sessions = await openGraphs({ whole, folded });
  const expected = await runSession(sessions.whole, { image });
  const actual = await runSession(sessions.folded, { image });
  // Values up to about 30, rounded to float32 in another order.
  expect(largestDifference(actual.normalized!, expected.normalized!)).toBeLessThan(1e-5);
});

test('a convolution that something else reads is left alone', () => {
  expect(foldBatchNorm(normalizedConvolution(true)).nodes.map(({ op }) => op)).toEqual(['Conv', 'BatchNormalization']);
});
