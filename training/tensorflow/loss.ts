import type { Tensor } from './native.js';
import type { Tape } from './tape.js';

/**
 * Mean over the batch of the cross-entropy with soft targets: -sum(target * log softmax(logits)).
 * @param logits (batch, classes)
 * @param targets (batch, classes), rows that sum to 1, or to the weight of the clip
 * @returns a scalar
 */
export function softCrossEntropy(tape: Tape, logits: Tensor, targets: Tensor): Tensor {
  const { native } = tape;
  const batch = logits.shape[0]!;
  const [losses, slope] = tape.runMany('SoftmaxCrossEntropyWithLogits', [logits, targets], {}, 2);
  const mean = tape.run('Mean', [losses!, native.list([0])]);
  return tape.record(mean, [logits], (gradient) => {
    const scaled = native.run('Mul', [slope!, native.scalar(1 / batch)]);
    tape.accumulate(logits, native.run('Mul', [scaled, gradient]));
    native.free(scaled);
  });
}
