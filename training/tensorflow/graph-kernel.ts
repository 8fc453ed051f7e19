import { type Attributes, DT_FLOAT, DT_INT32, type Kernels } from './kernels.js';

/** Values by name. */
export type Named<Names extends string, Value> = Readonly<Record<Names, Value>>;

/** Computes values from others, of any shape. Frees whatever it makes and does not return. */
export type Computation<In extends string, Out extends string> = <Value>(
  kernels: Kernels<Value>,
  inputs: Named<In, Value>,
) => Named<Out, Value>;

/** A graph as TensorFlow loads it, with what its session calls the inputs and outputs. */
export interface BuiltGraph<In extends string, Out extends string> {
  /** A SavedModel in protocol buffers' text form. */
  savedModel: string;
  inputs: Named<In, string>;
  outputs: Named<Out, string>;
}

/**
 * A computation of several kernels that runs as one ({@link Native.runGraph}). To call a kernel takes the processor many
 * times as long as a graph takes to come to its next one; and in a graph kernels write over inputs that nothing else
 * needs.
 */
export class GraphKernel<In extends string, Out extends string> {
  readonly name: string;
  readonly compute: Computation<In, Out>;

  constructor(name: string, compute: Computation<In, Out>) {
    this.name = name;
    this.compute = compute;
  }

  /** @param types data types of the inputs */
  build(types: Named<In, number>): BuiltGraph<In, Out> {
    const builder = new GraphBuilder();
    const inputs = mapValues(types, (dtype) => builder.input(dtype));
    const outputs = this.compute(builder, inputs);
    const nameOf = ({ name }: Node) => name;
    return {
      savedModel: builder.savedModel(),
      inputs: mapValues(inputs, nameOf),
      outputs: mapValues(outputs, nameOf),
    };
  }
}

/** Graph kernels of one name that differ by options; one is made for each of them. */
export function graphKernels<Options extends Record<string, number | boolean>, In extends string, Out extends string>(
  name: string,
  computation: (options: Options) => Computation<In, Out>,
): (options: Options) => GraphKernel<In, Out> {
  const made = new Map<string, GraphKernel<In, Out>>();
  return (options) => {
    const key = JSON.stringify(options);
    const kernel = made.get(key) ?? new GraphKernel(name, computation(options));
    made.set(key, kernel);
    return kernel;
  };
}

/** The same names with other values. */
export function mapValues<Names extends string, A, B>(
  values: Named<Names, A>,
  change: (value: A) => B,
): Record<Names, B> {
  const entries = Object.entries<A>(values).map(([name, value]) => [name, change(value)]);
  return Object.fromEntries(entries) as Record<Names, B>;
}

/** An output of a node; its name is that of the node, a colon and its number. */
interface Node {
  name: string;
  dtype: number;
}

/** Writes down kernels as the nodes of a graph. */
class GraphBuilder implements Kernels<Node> {
  readonly usesGpu = false;
  readonly #nodes: string[] = [];

  input(dtype: number): Node {
    const attributes = { dtype: typeText(dtype), shape: '{ shape { unknown_rank: true } }' };
    return this.#node('Placeholder', [], attributes, dtype)[0]!;
  }

  run(kernel: string, inputs: readonly Node[], attributes: Attributes = {}): Node {
    return this.runMany(kernel, inputs, attributes, 1)[0]!;
  }

  runMany(kernel: string, inputs: readonly Node[], attributes: Attributes, outputs: number): Node[] {
    const { dtype } = inputs[0]!;
    const all: Attributes = { T: { type: dtype }, ...attributes };
    return this.#node(kernel, inputs, mapValues(all, attributeText), dtype, outputs);
  }

  list(values: readonly number[]): Node {
    return this.#constant(DT_INT32, [values.length], values);
  }

  intScalar(value: number): Node {
    return this.#constant(DT_INT32, [], [value]);
  }

  scalar(value: number): Node {
    return this.#constant(DT_FLOAT, [], [value]);
  }

  zeros(shape: readonly number[]): Node {
    return this.#constant(DT_FLOAT, shape, [0]);
  }

  join(parts: readonly Node[], axis: number): Node {
    return this.run('ConcatV2', [...parts, this.intScalar(axis)], { N: parts.length });
  }

  cast(value: Node, dtype: number): Node {
    return this.#node('Cast', [value], { SrcT: typeText(value.dtype), DstT: typeText(dtype) }, dtype)[0]!;
  }

  /** A graph frees by itself. */
  free(): void {}

  savedModel(): string {
    // The version of the graph format since which all the kernels used here are as they are.
    const graph = `graph_def { ${this.#nodes.join('\n')} versions { producer: 1087 } }`;
    return `saved_model_schema_version: 1 meta_graphs { meta_info_def { tags: "serve" } ${graph} }`;
  }

  /** The last value fills what is left of the shape. */
  #constant(dtype: number, shape: readonly number[], values: readonly number[]): Node {
    const sizes = shape.map((size) => `dim { size: ${size} }`).join(' ');
    const list = values.map((value) => `${dtype === DT_INT32 ? 'int_val' : 'float_val'}: ${value}`).join(' ');
    const value = `{ tensor { dtype: ${dtype} tensor_shape { ${sizes} } ${list} } }`;
    return this.#node('Const', [], { dtype: typeText(dtype), value }, dtype)[0]!;
  }

  #node(
    kernel: string,
    inputs: readonly Node[],
    attributes: Record<string, string>,
    dtype: number,
    outputs = 1,
  ): Node[] {
    const name = `node${this.#nodes.length}`;
    const from = inputs.map((input) => `input: "${input.name}"`).join(' ');
    const given = Object.entries(attributes).map(([key, value]) => `attr { key: "${key}" value ${value} }`);
    this.#nodes.push(`node { name: "${name}" op: "${kernel}" ${from} ${given.join(' ')} }`);
    return Array.from({ length: outputs }, (_, output) => ({ name: `${name}:${output}`, dtype }));
  }
}

function typeText(dtype: number): string {
  return `{ type: ${dtype} }`;
}

function attributeText(value: Attributes[string]): string {
  if (typeof value === 'boolean') return `{ b: ${value} }`;
  if (typeof value === 'number') return `{ i: ${value} }`;
  if (typeof value === 'object' && 'type' in value) return typeText(value.type);
  throw new TypeError('an attribute of a kind that no graph has');
}
