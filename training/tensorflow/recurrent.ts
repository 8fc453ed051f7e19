import type { Tensor } from './native.js';
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
 *
 * BlockLSTMGradV2 would add to the gradient of the whole weight matrix at every step. Here a step computes the
 * gradient of its gates alone (LSTMBlockCellGrad); weights and input get theirs from one product over all steps.
 *
 * @returns (time, batch, hidden)
 */
export function lstm(tape: Tape, x: Tensor, parameters: LstmTensors): Tensor {
  const { native } = tape;
  const { inputWeight, hiddenWeight, inputBias, hiddenBias } = parameters;
  const [time, batch, features] = x.shape as [number, number, number];
  const hidden = hiddenWeight.shape[1]!;
  const joined = native.join([inputWeight, hiddenWeight], 1);
  const weight = tape.run('Transpose', [joined, native.list([1, 0])]);
  native.free(joined);
  const bias = tape.run('AddV2', [inputBias, hiddenBias]);
  const state = native.zeros([batch, hidden]);
  // Peephole weights are inputs of the kernels even where they do not use them.
  const peephole = native.zeros([hidden]);
  const outputs = tape.runMany(
    'BlockLSTMV2',
    [native.longScalar(time), x, state, state, weight, peephole, peephole, peephole, bias],
    { cell_clip: { float: 0 }, use_peephole: false },
    7,
  );
  const result = outputs[6]!;
  const inputs = [x, inputWeight, hiddenWeight, inputBias, hiddenBias];
  return tape.record(result, inputs, (gradient) => {
    const unpack = (tensor: Tensor) => native.runMany('Unpack', [tensor], { num: time }, time);
    const [gateIn, cells, forget, gateOut, candidate, cellOut, hiddens] = outputs.map(unpack) as Tensor[][];
    const xSteps = unpack(x);
    const outer = unpack(gradient);
    const backWeight = swapMiddleGates(tape, hiddenWeight, 0);
    const gates: Tensor[] = [];
    let cellGradient = native.run('ZerosLike', [state]);
    let hiddenGradient = native.run('Identity', [outer[time - 1]!]);
    for (let t = time - 1; t >= 0; t--) {
      const before = t > 0 ? [cells![t - 1]!, hiddens![t - 1]!] : [state, state];
      const step = [gateIn, cells, forget, gateOut, candidate, cellOut].map((values) => values![t]!);
      const fixed = [weight, peephole, peephole, peephole, bias];
      const [cellBefore, gate, ...unused] = native.runMany(
        'LSTMBlockCellGrad',
        [xSteps[t]!, ...before, ...fixed, ...step, cellGradient, hiddenGradient],
        { use_peephole: false },
        5,
      );
      native.free(...unused, cellGradient, hiddenGradient);
      cellGradient = cellBefore!;
      gates.unshift(gate!);
      const recurrent = native.run('MatMul', [gate!, backWeight]);
      hiddenGradient = t > 0 ? native.run('AddV2', [recurrent, outer[t - 1]!]) : native.run('Identity', [recurrent]);
      native.free(recurrent);
    }
    // Not ConcatV2, which does not take a single step.
    const packed = native.run('Pack', gates, { N: time, T: { type: native.float32 }, axis: 0 });
    const stacked = native.run('Reshape', [packed, native.list([time * batch, 4 * hidden])]);
    const all = swapMiddleGates(tape, stacked, 1);
    native.free(cellGradient, hiddenGradient, backWeight, packed, stacked, ...gates);
    for (const steps of [gateIn, cells, forget, gateOut, candidate, cellOut, hiddens, xSteps, outer]) {
      native.free(...steps!);
    }

    const rows = (tensor: Tensor, columns: number) =>
      native.run('Reshape', [tensor, native.list([time * batch, columns])]);
    if (tape.needsGradient(x)) {
      const flat = native.run('MatMul', [all, inputWeight]);
      tape.accumulate(x, native.run('Reshape', [flat, native.list([time, batch, features])]));
      native.free(flat);
    }
    if (tape.needsGradient(inputWeight)) {
      const flat = rows(x, features);
      tape.accumulate(inputWeight, native.run('MatMul', [all, flat], { transpose_a: true }));
      native.free(flat);
    }
    if (tape.needsGradient(hiddenWeight)) {
      const previous = previousSteps(tape, result);
      const flat = rows(previous, hidden);
      tape.accumulate(hiddenWeight, native.run('MatMul', [all, flat], { transpose_a: true }));
      native.free(previous, flat);
    }
    for (const biasInput of [inputBias, hiddenBias]) {
      if (tape.needsGradient(biasInput)) tape.accumulate(biasInput, native.run('BiasAddGrad', [all]));
    }
    native.free(all);
  });
}

/** LSTMBlockCellGrad has the cell's gate before the forget gate, PyTorch behind it: the way there and back. */
function swapMiddleGates(tape: Tape, tensor: Tensor, axis: 0 | 1): Tensor {
  const { native } = tape;
  const parts = native.runMany('Split', [native.intScalar(axis), tensor], { num_split: 4 }, 4);
  const [first, second, third, fourth] = parts as [Tensor, Tensor, Tensor, Tensor];
  const swapped = native.join([first, third, second, fourth], axis);
  native.free(...parts);
  return swapped;
}

/** (time, batch, hidden) moved on by one step: zeros first, the last step left out. */
function previousSteps(tape: Tape, steps: Tensor): Tensor {
  const { native } = tape;
  const [time, batch, hidden] = steps.shape as [number, number, number];
  const begin = native.list([0, 0, 0]);
  const kept = native.run('Slice', [steps, begin, native.list([time - 1, batch, hidden])]);
  const moved = native.join([native.zeros([1, batch, hidden]), kept], 0);
  native.free(kept);
  return moved;
}

/** Reverses the first `lengths` steps of each row of (time, batch, features); padding stays at the end. */
export function reverseSteps(tape: Tape, x: Tensor, lengths: Tensor): Tensor {
  const reverse = (value: Tensor) => tape.native.run('ReverseSequence', [value, lengths], { seq_dim: 0, batch_dim: 1 });
  const [result] = tape.keep(reverse(x));
  return tape.record(result!, [x], (gradient) => tape.accumulate(x, reverse(gradient)));
}
