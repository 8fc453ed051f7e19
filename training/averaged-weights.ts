import type { ParameterSpec } from '../models/parameters.js';
import { type FlatParameters, joinFlat } from './flat-parameters.js';
import { FlatVariable } from './tensorflow/flat-variable.js';
import { elementsOf, type Native, type Tensor } from './tensorflow/native.js';
import type { NetworkVariables } from './tensorflow/variables.js';

/**
 * The exponential moving average of a network's trained parameters and running statistics: what is validated and saved
 * in their place. Free it with {@link dispose}.
 */
export class AveragedWeights {
  readonly #native: Native;
  readonly #variables: NetworkVariables;
  readonly #trained: FlatParameters;
  readonly #statistics: readonly ParameterSpec[];
  /** Averages of the parameters and of the statistics; null before the first step. */
  #averages: { trained: FlatVariable; statistics: FlatVariable } | null = null;

  /** @param statistics the running statistics that training changes */
  constructor(
    native: Native,
    variables: NetworkVariables,
    trained: FlatParameters,
    statistics: readonly ParameterSpec[],
  ) {
    this.#native = native;
    this.#variables = variables;
    this.#trained = trained;
    this.#statistics = statistics;
  }

  /** average += (1 - decay) * (current - average); the first call takes the current values. */
  update(decay: number): void {
    const current = { trained: this.#trained.read(), statistics: this.#gatherStatistics() };
    this.#averages ??= {
      trained: new FlatVariable(this.#native, current.trained),
      statistics: new FlatVariable(this.#native, current.statistics),
    };
    for (const part of ['trained', 'statistics'] as const) {
      const average = this.#averages[part];
      const old = average.read();
      const way = this.#native.run('Sub', [current[part], old]);
      this.#native.free(old);
      average.addScaled(way, 1 - decay);
      this.#native.free(way, current[part]);
    }
  }

  /** Runs `use` with the averages in place of the weights, where there are some. */
  async use<T>(use: () => Promise<T>): Promise<T> {
    if (this.#averages === null) return use();
    const native = this.#native;
    const averages = { trained: this.#averages.trained.read(), statistics: this.#averages.statistics.read() };
    const current = { trained: this.#trained.read(), statistics: this.#gatherStatistics() };
    this.#put(averages);
    native.free(averages.trained, averages.statistics);
    try {
      return await use();
    } finally {
      this.#put(current);
      native.free(current.trained, current.statistics);
    }
  }

  #put({ trained, statistics }: { trained: Tensor; statistics: Tensor }): void {
    this.#trained.change((vector) => vector.assign(trained));
    if (this.#statistics.length === 0) return;
    const native = this.#native;
    const sizes = this.#statistics.map(({ shape }) => elementsOf(shape));
    const parts = native.runMany(
      'SplitV',
      [statistics, native.list(sizes), native.intScalar(0)],
      { num_split: sizes.length },
      sizes.length,
    );
    for (const [index, { name }] of this.#statistics.entries()) this.#variables.replace(name, parts[index]!);
  }

  #gatherStatistics(): Tensor {
    if (this.#statistics.length === 0) return this.#native.floats([0], new Float32Array(0));
    return joinFlat(
      this.#native,
      this.#statistics.map(({ name }) => this.#variables.get(name)),
    );
  }

  /** Both averages, one after the other, for a checkpoint. */
  state(): Float32Array | null {
    if (this.#averages === null) return null;
    const [trained, statistics] = [this.#averages.trained, this.#averages.statistics].map((average) => {
      const values = average.read();
      const data = this.#native.read(values);
      this.#native.free(values);
      return data;
    }) as [Float32Array, Float32Array];
    const joined = new Float32Array(trained.length + statistics.length);
    joined.set(trained);
    joined.set(statistics, trained.length);
    return joined;
  }

  restore(state: Float32Array | null): void {
    if (state === null) return;
    this.dispose();
    const load = (data: Float32Array) => {
      const values = this.#native.floats([data.length], data);
      const variable = new FlatVariable(this.#native, values);
      this.#native.free(values);
      return variable;
    };
    const { count } = this.#trained;
    this.#averages = { trained: load(state.slice(0, count)), statistics: load(state.slice(count)) };
  }

  dispose(): void {
    this.#averages?.trained.dispose();
    this.#averages?.statistics.dispose();
    this.#averages = null;
  }
}
