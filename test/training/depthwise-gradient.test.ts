import { expect, test } from 'vitest';
import { Random } from '../../common/random.js';
import { depthwiseConv2d } from '../../training/tensorflow/image-primitives.js';
import { Native } from '../../training/tensorflow/native.js';
import { reshape, sumAxis } from '../../training/tensorflow/primitives.js';
import { Tape } from '../../training/tensorflow/tape.js';

test.each([
  { kernel: 3, padding: { top: 1, bottom: 1, left: 1, right: 1 } },
  { kernel: 5, padding: { top: 2, bottom: 1, left: 1, right: 3 } },
])('depthwise convolution of stride 1: the input gradient is that of TensorFlow ($kernel x $kernel)', async (shape) => {
  const native = await Native.load();
  const random = new Random(11);
  const draw = (...size: number[]) =>
    native.floats(
      size,
      Float32Array.from({ length: size.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
  const x = draw(2, 9, 7, 4);
  const filter = draw(shape.kernel, shape.kernel, 4, 1);
  const tape = new Tape(native);
  tape.watch(x);
  const y = depthwiseConv2d(tape, x, filter, { ...shape, stride: 1 });
  const { top, bottom, left, right } = shape.padding;
  const upstream = native.run('Fill', [native.list(y.shape), native.scalar(1)]);
  const size = native.list(x.shape);
  const expected = native.run('DepthwiseConv2dNativeBackpropInput', [size, filter, upstream], {
    strides: [1, 1, 1, 1],
    padding: 'EXPLICIT',
    explicit_paddings: [0, 0, top, bottom, left, right, 0, 0],
  });
  const count = y.shape.reduce((a, b) => a * b, 1);
  tape.backward(reshape(tape, sumAxis(tape, reshape(tape, y, [1, count]), 1), []));
  const [found, wanted] = [native.read(tape.takeGradient(x)!), native.read(expected)];
  // Sums of 25 numbers near 1 in another order.
  for (const [i, value] of wanted.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-5);
});
