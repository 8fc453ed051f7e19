import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Binding, Tensor } from './binding.js';
import { type GraphKernel, mapValues, type Named } from './graph-kernel.js';

/** A session of TensorFlow with a graph: the names of its inputs and outputs, and in the same order their nodes. */
interface GraphSession {
  id: number;
  inputs: string[];
  outputs: string[];
  inputNodes: string;
  outputNodes: string;
}

/** Runs graph kernels on the processor, each in a session of its own that is opened at its first use and kept. */
export class GraphSessions {
  readonly #binding: Binding;
  /** By graph kernel and the data types of its inputs. */
  readonly #sessions = new Map<object, Map<string, GraphSession>>();

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  /** @returns the caller's to free */
  run<In extends string, Out extends string>(
    kernel: GraphKernel<In, Out>,
    tensors: Named<In, Tensor>,
  ): Named<Out, Tensor> {
    const types = mapValues(tensors, ({ dtype }) => dtype);
    const key = JSON.stringify(types);
    const sessions = this.#sessions.get(kernel) ?? new Map<string, GraphSession>();
    const session = sessions.get(key) ?? this.#open(kernel, types);
    this.#sessions.set(kernel, sessions.set(key, session));
    const given: Named<string, Tensor> = tensors;
    const ids = session.inputs.map((name) => given[name]!.id);
    const results = this.#binding.runSavedModel(session.id, ids, session.inputNodes, session.outputNodes);
    const named = session.outputs.map((name, i) => [name, results[i]!]);
    return Object.fromEntries(named) as Named<Out, Tensor>;
  }

  unload(kernel: object): void {
    for (const { id } of this.#sessions.get(kernel)?.values() ?? []) this.#binding.deleteSavedModel(id);
    this.#sessions.delete(kernel);
  }

  /** TensorFlow reads graphs from a folder. */
  #open<In extends string, Out extends string>(kernel: GraphKernel<In, Out>, types: Named<In, number>): GraphSession {
    const { savedModel, inputs, outputs } = kernel.build(types);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mer-graph-'));
    try {
      fs.writeFileSync(path.join(folder, 'saved_model.pbtxt'), savedModel);
      const id = this.#binding.loadSavedModel(folder, 'serve');
      return {
        id,
        inputs: Object.keys(inputs),
        outputs: Object.keys(outputs),
        inputNodes: Object.values(inputs).join(),
        outputNodes: Object.values(outputs).join(),
      };
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }
}
