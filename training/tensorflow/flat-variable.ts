import type { Native, Tensor } from './native.js';

/** The name that makes TensorFlow free a variable with its last handle. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/**
 * A float32 vector that kernels change in place (a TensorFlow resource variable). While tensors that were read from it
 * live, a change copies it first: free them before. Free it with {@link dispose}.
 */
export class FlatVariable {
  readonly #native: Native;
  /** What the ResourceApply kernels take. */
  readonly handle: Tensor;

  /** @param values (count); not freed */
  constructor(native: Native, values: Tensor) {
    this.#native = native;
    this.handle = native.run('VarHandleOp', [], {
      dtype: { type: native.float32 },
      shape: { shape: [...values.shape] },
      shared_name: ANONYMOUS,
    });
    this.assign(values);
  }

  /** A variable of zeros. */
  static zeros(native: Native, count: number): FlatVariable {
    const zeros = native.filled([count], 0);
    const variable = new FlatVariable(native, zeros);
    native.free(zeros);
    return variable;
  }

  /** Takes new values, which are not freed. */
  assign(values: Tensor): void {
    this.#native.runMany('AssignVariableOp', [this.handle, values], {}, 0);
  }

  /** The values: not a copy, the caller's to free. */
  read(): Tensor {
    return this.#native.run('ReadVariableOp', [this.handle], { dtype: { type: this.#native.float32 } });
  }

  /** this += factor * values; `values` is not freed. */
  addScaled(values: Tensor, factor: number): void {
    const rate = this.#native.floats([], Float32Array.of(-factor));
    this.#native.runMany('ResourceApplyGradientDescent', [this.handle, rate, values], {}, 0);
    this.#native.free(rate);
  }

  /** this -= share * this */
  decay(share: number): void {
    // So small a share is less than half of the last bit of each float32: it would take a pass and change nothing.
    if (Math.abs(share) < 2 ** -25) return;
    const values = this.read();
    this.addScaled(values, -share);
    this.#native.free(values);
  }

  dispose(): void {
    this.#native.free(this.handle);
  }
}
