import type { Native, Tensor } from './native.js';
import type { Tape } from './tape.js';

/**
 * When each value of a forward pass is needed for the last time, so that passes without a backward can free it then.
 * Which kernels a network runs, and in which order, does not depend on the size of the batch: the plan is made by
 * watching a pass over a tiny one.
 */
export class ReleasePlan {
  readonly #kernels: readonly string[];
  /** By kernel: the outputs (kernel, number) that nothing needs after it. */
  readonly #dead: readonly (readonly [number, number])[][];

  private constructor(kernels: readonly string[], dead: readonly (readonly [number, number])[][]) {
    this.#kernels = kernels;
    this.#dead = dead;
  }

  /** @param pass runs a forward pass on `tape` and returns what is read of it; it clears nothing */
  static record(native: Native, tape: Tape, pass: () => readonly Tensor[]): ReleasePlan {
    const kernels: string[] = [];
    const made = new Map<number, { kernel: number; output: number; lastUse: number }>();
    const stop = native.observe((kernel, inputs, outputs) => {
      const index = kernels.push(kernel) - 1;
      for (const { id } of inputs) {
        const origin = made.get(id);
        if (origin) origin.lastUse = index;
      }
      for (const [output, { id }] of outputs.entries()) made.set(id, { kernel: index, output, lastUse: index });
    });
    let read: readonly Tensor[];
    try {
      read = pass();
    } finally {
      stop();
    }
    const needed = new Set(read.map(({ id }) => id));
    const dead: [number, number][][] = kernels.map(() => []);
    for (const { id } of tape.held()) {
      const origin = made.get(id);
      if (!origin || needed.has(id)) continue;
      dead[origin.lastUse]!.push([origin.kernel, origin.output]);
    }
    return new ReleasePlan(kernels, dead);
  }

  /** Runs a pass of the same network on `tape`, freeing each value after its last use. */
  run<T>(native: Native, tape: Tape, pass: () => T): T {
    const made: (readonly Tensor[])[] = [];
    let asPlanned = true;
    const stop = native.observe((kernel, _inputs, outputs) => {
      const index = made.push(outputs) - 1;
      // Should a pass ever run other kernels, it only keeps more than it needs.
      asPlanned &&= this.#kernels[index] === kernel;
      if (!asPlanned) return;
      for (const [from, output] of this.#dead[index]!) tape.discard(made[from]![output]!);
    });
    try {
      return pass();
    } finally {
      stop();
    }
  }
}
