import type { StateDict } from '../common/safetensors.js';

/** The operator set of every exported graph: the oldest with the Attention operator, for the most runtimes. */
export const OPSET = 23;
/** The file format version that came with {@link OPSET}. */
export const IR_VERSION = 11;

/** Codes of ONNX's TensorProto.DataType, as the Cast operator takes them. */
export const DATA_TYPE = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;

/** A number is one that the file has, a name one that the caller chooses. */
export type Dimension = number | string;

export interface OnnxValue {
  name: string;
  type: 'float32' | 'uint8' | 'int32';
  shape: Dimension[];
}

export interface OnnxNode {
  op: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, number | string | number[]>;
}

/** What is known of a value within the graph; null where a dimension is left to shape inference. */
export interface OnnxHint {
  name: string;
  type: OnnxValue['type'];
  shape: (Dimension | null)[];
}

/** An ONNX graph; its initializers are float32, or int64 for shapes and axes. */
export interface OnnxGraph {
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  hints: OnnxHint[];
  nodes: OnnxNode[];
  initializers: StateDict;
}

/** Collects the nodes, constants, inputs and outputs of one graph, in the order of computation. */
export class GraphWriter {
  readonly #nodes: OnnxNode[] = [];
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  readonly #hints = new Map<string, OnnxHint>();
  readonly #initializers: StateDict = new Map();
  readonly #made = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  input(name: string, type: OnnxValue['type'], shape: Dimension[]): string {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** Declares `value` an output of the graph, under `name`. */
  output(value: string, name: string, shape: Dimension[]): void {
    for (const node of this.#nodes) {
      node.inputs = node.inputs.map((input) => (input === value ? name : input));
      node.outputs = node.outputs.map((output) => (output === value ? name : output));
    }
    this.#outputs.push({ name, type: 'float32', shape });
  }

  /**
   * Names open dimensions of a value that shape inference cannot follow. A runtime fuses an addition into a convolution
   * only where it knows that both sides have one shape.
   */
  hint(name: string, type: OnnxHint['type'], shape: OnnxHint['shape']): void {
    this.#hints.set(name, { name, type, shape });
  }

  /**
   * Adds a node of one output.
   *
   * @param inputs names of values; an optional input that is left out is ''
   * @param name the layer that the node stands for; without one it is named by operator and number
   * @returns the name of its output
   */
  node(op: string, inputs: string[], attributes: OnnxNode['attributes'] = {}, name?: string): string {
    return this.nodes(op, inputs, 1, attributes, name)[0]!;
  }

  /** As {@link node}, for an operator with `count` outputs. */
  nodes(op: string, inputs: string[], count: number, attributes: OnnxNode['attributes'] = {}, name?: string): string[] {
    const unique = this.#unique(name ?? op);
    const outputs = Array.from({ length: count }, (_, index) => `${unique}_out${count > 1 ? index : ''}`);
    this.#nodes.push({ op, name: unique, inputs, outputs, attributes });
    return outputs;
  }

  /** A float32 constant, stored once however often it is asked for under the same name. */
  floats(name: string, shape: number[], data: Float32Array): string {
    this.#initializers.set(name, { dtype: 'F32', shape, data });
    return name;
  }

  /** A single number that broadcasts with everything. */
  scalar(value: number): string {
    return this.floats(`scalar ${value}`, [], Float32Array.of(value));
  }

  /** A one-dimensional int64 constant: a shape, or axes. */
  ints(values: number[]): string {
    return this.#longs(`ints ${values.join(' ')}`, [values.length], values);
  }

  /** A single int64 number without dimensions. */
  int(value: number): string {
    return this.#longs(`int ${value}`, [], [value]);
  }

  /** The value that `make` gave when `key` was asked for first. */
  once(key: string, make: () => string): string {
    const value = this.#made.get(key) ?? make();
    this.#made.set(key, value);
    return value;
  }

  finish(): OnnxGraph {
    return {
      inputs: this.#inputs,
      outputs: this.#outputs,
      hints: [...this.#hints.values()],
      nodes: this.#nodes,
      initializers: this.#initializers,
    };
  }

  #longs(name: string, shape: number[], values: number[]): string {
    this.#initializers.set(name, { dtype: 'I64', shape, data: BigInt64Array.from(values, (value) => BigInt(value)) });
    return name;
  }

  #unique(name: string): string {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}
