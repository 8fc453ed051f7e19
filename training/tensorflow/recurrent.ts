import type { Tensor } from './native.js';
import { add, concat, transpose } from './primitives.js';
import type { Tape } from './tape.js';

/** Parameters of one direction in PyTorch's layout: rows are the gates input, forget, cell, output. */
export interface LstmTensors {
  /** (4 * hidden, in) */
  inputWeight: Tensor;
  /** (4 * hidden, hidden) */
  hiddenWeight: Tensor;
  inputBias: Tensor;
  hiddenBias: Tensor;
}

/**
 * One direction of an LSTM over (time, batch, in), from zero state, by the BlockLSTMV2 kernel,
 * whose gates come in PyTorch's order.
 * @returns (time, batch, hidden)
 */
export function lstm(tape: Tape, x: Tensor, parameters: LstmTensors): Tensor {
  const both = concat(tape, [parameters.inputWeight, parameters.hiddenWeight], 1);
  return blockLstm(tape, x, transpose(tape, both, [1, 0]), add(tape, parameters.inputBias, parameters.hiddenBias));
}

/** @param weight (in + hidden, 4 * hidden) */
function blockLstm(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { native } = tape;
  const [time, batch] = x.shape as [number, number, number];
  const hidden = bias.shape[0]! / 4;
  const steps = native.longScalar(time);
  const state = native.zeros([batch, hidden]);
  // Peephole weights are inputs of the kernel even where it does not use them.
  const peephole = native.zeros([hidden]);
  const inputs = [steps, x, state, state, weight, peephole, peephole, peephole, bias];
  const outputs = tape.runMany('BlockLSTMV2', inputs, { cell_clip: { float: 0 }, use_peephole: false }, 7);
  const result = outputs[6]!;
  return tape.record(result, [x, weight, bias], (gradient) => {
    const cellGradient = native.zeros([time, batch, hidden]);
    const gradients = native.runMany(
      'BlockLSTMGradV2',
      [...inputs, ...outputs, cellGradient, gradient],
      { use_peephole: false },
      8,
    );
    const wanted = new Map([
      [0, x],
      [3, weight],
      [7, bias],
    ]);
    for (const [index, tensor] of gradients.entries()) {
      const input = wanted.get(index);
      if (input) tape.accumulate(input, tensor);
      else native.free(tensor);
    }
  });
}

/** Reverses the first `lengths` steps of each row of (time, batch, features); padding stays at the end. */
export function reverseSteps(tape: Tape, x: Tensor, lengths: Tensor): Tensor {
  const reverse = (value: Tensor) => tape.native.run('ReverseSequence', [value, lengths], { seq_dim: 0, batch_dim: 1 });
  const [result] = tape.keep(reverse(x));
  return tape.record(result!, [x], (gradient) => tape.accumulate(x, reverse(gradient)));
}
