import { DATA_TYPE, type GraphWriter } from './onnx-graph.js';

/** Real steps of the rows of a padded batch: `counts` is int32 (batch), `steps` int64 (1), the padded length. */
export interface Padded {
  counts: string;
  steps: string;
}

/** Writes the masks that keep padding out of attention and means: each of them once a graph. */
export class PaddingMasks {
  readonly #graph: GraphWriter;

  constructor(graph: GraphWriter) {
    this.#graph = graph;
  }

  /** Float (batch, time, 1): 1 on the real steps, 0 beyond. */
  floats(x: Padded): string {
    const graph = this.#graph;
    return graph.once(`${x.counts} float mask`, () => {
      const floats = graph.node('Cast', [this.#real(x)], { to: DATA_TYPE.float32 });
      return graph.node('Unsqueeze', [floats, graph.ints([2])]);
    });
  }

  /** Bool (batch, 1, time, time): real keys. Whole along the queries, an axis that ONNX Runtime does not broadcast. */
  attention(x: Padded): string {
    const graph = this.#graph;
    return graph.once(`${x.counts} attention mask`, () => {
      const keys = graph.node('Unsqueeze', [this.#real(x), graph.ints([1, 2])]);
      const shape = graph.node('Concat', [graph.ints([1, 1]), x.steps, graph.ints([1])], { axis: 0 });
      return graph.node('Expand', [keys, shape]);
    });
  }

  /** Bool (batch, time): whether a step is real. */
  #real({ counts, steps }: Padded): string {
    const graph = this.#graph;
    return graph.once(`${counts} mask`, () => {
      const positions = graph.node('Range', [graph.int(0), graph.node('Squeeze', [steps]), graph.int(1)]);
      const ends = graph.node('Unsqueeze', [counts, graph.ints([1])]);
      return graph.node('Less', [positions, graph.node('Cast', [ends], { to: DATA_TYPE.int64 })]);
    });
  }
}
