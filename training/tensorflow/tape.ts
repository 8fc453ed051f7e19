import type { GraphKernel, Named } from './graph-kernel.js';
import type { Attributes } from './kernels.js';
import type { Native, Tensor } from './native.js';

/** Receives the gradient of an operation's output; hands gradients of its inputs to {@link Tape.accumulate}. */
export type Backward = (gradient: Tensor) => void;

interface Entry {
  outputs: readonly Tensor[];
  /** Absent where no input needs a gradient. Takes the gradient of each output, null where nothing depends on it. */
  backward: ((gradients: readonly (Tensor | null)[]) => void) | null;
  /** All tensors that this operation made; freed once its own backward has run. */
  made: Tensor[];
}

/**
 * Records what was computed, so that gradients can be computed in reverse. Every tensor made by an operation is freed
 * as soon as the backward pass has gone past that operation: nothing later can need it.
 */
export class Tape {
  readonly native: Native;
  /** Data type of convolutions and matrix products: float32, or a half one in mixed precision. */
  readonly computeType: number;
  readonly #entries: Entry[] = [];
  readonly #gradients = new Map<number, Tensor>();
  readonly #needsGradient = new Set<number>();
  readonly #discarded = new Set<number>();
  #making: Tensor[] = [];

  constructor(native: Native, computeType = native.float32) {
    this.native = native;
    this.computeType = computeType;
  }

  /** Bytes of all tensors that are kept for the backward pass; a shared buffer counts for each of its tensors. */
  get heldBytes(): number {
    return this.held().reduce((sum, tensor) => sum + this.native.bytesOf(tensor), 0);
  }

  /** Marks a parameter: gradients flow to it and stay until they are taken. */
  watch(parameter: Tensor): void {
    this.#needsGradient.add(parameter.id);
  }

  needsGradient(...tensors: readonly Tensor[]): boolean {
    return tensors.some(({ id }) => this.#needsGradient.has(id));
  }

  /** Runs a kernel of a forward operation; its result lives until the backward pass has gone past. */
  run(kernel: string, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
    return this.runMany(kernel, inputs, attributes, 1)[0]!;
  }

  runMany(kernel: string, inputs: readonly Tensor[], attributes: Attributes, outputs: number): Tensor[] {
    return this.keep(...this.native.runMany(kernel, inputs, attributes, outputs));
  }

  /** As {@link run}, of a graph kernel: all its outputs live so long. */
  runGraph<In extends string, Out extends string>(
    kernel: GraphKernel<In, Out>,
    inputs: Named<In, Tensor>,
  ): Named<Out, Tensor> {
    const outputs = this.native.runGraph(kernel, inputs);
    this.keep(...Object.values<Tensor>(outputs));
    return outputs;
  }

  /** Gives tensors that were made elsewhere to the operation being recorded. */
  keep(...tensors: Tensor[]): Tensor[] {
    this.#making.push(...tensors);
    return tensors;
  }

  /**
   * Ends an operation whose kernels ran since the last record.
   * @param backward called only when one of `inputs` needs a gradient
   */
  record(output: Tensor, inputs: readonly Tensor[], backward: Backward): Tensor {
    this.recordMany([output], inputs, ([gradient]) => {
      if (gradient) backward(gradient);
    });
    return output;
  }

  /** {@link record} of an operation with several outputs. */
  recordMany(outputs: readonly Tensor[], inputs: readonly Tensor[], backward: NonNullable<Entry['backward']>): void {
    const needed = this.needsGradient(...inputs);
    if (needed) for (const { id } of outputs) this.#needsGradient.add(id);
    this.#entries.push({ outputs, backward: needed ? backward : null, made: this.#making });
    this.#making = [];
  }

  /**
   * Adds to the gradient of `target`. Takes ownership of `gradient`. Ignored, and freed, where none is needed:
   * ask {@link needsGradient} first when computing it is not free.
   */
  accumulate(target: Tensor, gradient: Tensor): void {
    if (!this.#needsGradient.has(target.id)) {
      this.native.free(gradient);
      return;
    }
    const sum = this.#gradients.get(target.id);
    if (sum === undefined) {
      this.#gradients.set(target.id, gradient);
      return;
    }
    this.#gradients.set(target.id, this.native.run('AddV2', [sum, gradient]));
    this.native.free(sum, gradient);
  }

  /** {@link accumulate} of a gradient that is the same along the axes where its size is 1. */
  accumulateBroadcast(target: Tensor, gradient: Tensor): void {
    if (this.#gradients.has(target.id) || !this.#needsGradient.has(target.id)) {
      // The sum broadcasts by itself.
      this.accumulate(target, gradient);
      return;
    }
    this.accumulate(target, this.native.run('BroadcastTo', [gradient, this.native.list(target.shape)]));
    this.native.free(gradient);
  }

  /**
   * Walks back from `loss` (a scalar). Gradients of watched parameters then wait in {@link takeGradient}.
   * @param seed gradient of the loss itself: all gradients are multiplied by it
   */
  backward(loss: Tensor, seed = 1): void {
    this.#gradients.set(loss.id, this.native.floats([], Float32Array.of(seed)));
    for (let entry = this.#entries.pop(); entry !== undefined; entry = this.#entries.pop()) {
      const gradients = entry.outputs.map(({ id }) => this.#gradients.get(id) ?? null);
      for (const { id } of entry.outputs) this.#gradients.delete(id);
      const reached = gradients.filter((gradient) => gradient !== null);
      if (reached.length > 0) entry.backward?.(gradients);
      this.native.free(...reached);
      for (const tensor of entry.made) this.#needsGradient.delete(tensor.id);
      this.native.free(...entry.made);
    }
  }

  /** The gradient of a watched parameter, now the caller's to free; null when the loss does not depend on it. */
  takeGradient(parameter: Tensor): Tensor | null {
    const gradient = this.#gradients.get(parameter.id) ?? null;
    this.#gradients.delete(parameter.id);
    this.#needsGradient.delete(parameter.id);
    return gradient;
  }

  /** All tensors that are kept. */
  held(): Tensor[] {
    return this.#entries.flatMap(({ made }) => made);
  }

  /** Frees a tensor that a pass without a backward does not need any more. */
  discard(tensor: Tensor): void {
    this.native.free(tensor);
    this.#discarded.add(tensor.id);
  }

  /** Frees all that was recorded, without a backward pass. */
  clear(): void {
    for (const entry of this.#entries.splice(0)) {
      this.native.free(...entry.made.filter(({ id }) => !this.#discarded.has(id)));
    }
    this.#discarded.clear();
    this.native.free(...this.#making.splice(0), ...this.#gradients.values());
    this.#gradients.clear();
    this.#needsGradient.clear();
  }
}
