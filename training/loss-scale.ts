import type { Native, Tensor } from './tensorflow/native.js';

export interface LossScaleState {
  value: number;
  /** Steps without overflow since the last change. */
  good: number;
}

const START = 2 ** 15;
const GROW_AFTER = 2000;

/** Nothing is scaled, and no overflow is looked for. */
export const UNSCALED: LossScaleState = { value: 1, good: 0 };

/**
 * Dynamic loss scaling (arXiv 1710.03740): gradients are computed multiplied by a power of two, so that half precision
 * does not lose the small ones; halved when one overflows, doubled after 2000 steps without.
 */
export class LossScale {
  readonly #native: Native;
  readonly #dynamic: boolean;
  state: LossScaleState;

  constructor(native: Native, dynamic: boolean) {
    this.#native = native;
    this.#dynamic = dynamic;
    this.state = dynamic ? { value: START, good: 0 } : UNSCALED;
  }

  get value(): number {
    return this.state.value;
  }

  /** The gradients as they are, or null where one of them has overflowed. Frees `gradient`. */
  unscale(gradient: Tensor): Tensor | null {
    if (!this.#dynamic) return gradient;
    const native = this.#native;
    const { value, good } = this.state;
    const result = native.run('Mul', [gradient, native.scalar(1 / value)]);
    native.free(gradient);
    const norm = native.run('L2Loss', [result]);
    const finite = Number.isFinite(native.read(norm)[0]);
    native.free(norm);
    if (!finite) {
      native.free(result);
      this.state = { value: Math.max(1, value / 2), good: 0 };
      return null;
    }
    this.state = good + 1 < GROW_AFTER ? { value, good: good + 1 } : { value: value * 2, good: 0 };
    return result;
  }
}
