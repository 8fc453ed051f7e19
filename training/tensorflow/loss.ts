import type { Tensor } from './native.js';
import type { Tape } from './tape.js';

/**
 * Cross-entropy with soft targets, -sum(target * log softmax(logits)), averaged over the clips by their weights.
 * @param logits (batch, classes)
 * @param targets (batch, classes), rows that sum to 1
 * @param weights (batch), which sum to 1: 1 / batch for a plain mean
 * @returns a scalar
 */
export function softCrossEntropy(tape: Tape, logits: Tensor, targets: Tensor, weights: Tensor): Tensor {
  const { native } = tape;
  const [losses, slope] = tape.runMany('SoftmaxCrossEntropyWithLogits', [logits, targets], {}, 2);
  const weighed = tape.run('Mul', [losses!, weights]);
  return tape.record(tape.run('Sum', [weighed, native.list([0])]), [logits], (gradient) => {
    const column = native.run('Reshape', [weights, native.list([-1, 1])]);
    const scale = native.run('Mul', [column, gradient]);
    tape.accumulate(logits, native.run('Mul', [slope!, scale]));
    native.free(column, scale);
  });
}
