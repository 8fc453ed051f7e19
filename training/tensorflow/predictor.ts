import { MODALITIES, type Modality } from '../../common/labels.js';
import type { StateDict } from '../../common/safetensors.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import type { Batch } from '../../preprocessing/model-inputs.js';
import { checkState } from '../checkpoint.js';
import { forward, type NetworkOutput } from './forward.js';
import { Native, type Tensor } from './native.js';
import { ReleasePlan } from './release-plan.js';
import { Tape } from './tape.js';
import { TensorFlowOps, type Variables } from './tensorflow-ops.js';
import { NetworkVariables } from './variables.js';

/** Row-major (batch, columns). */
export interface Matrix {
  data: Float32Array;
  columns: number;
}

/** Outputs of a network in evaluation mode; `attention` has one column a time step of the padded batch. */
export interface Prediction {
  /** The integrated logits of a multimodal network; of a unimodal one its only logits. (batch, 7) */
  logits: Matrix;
  branches: Partial<Record<Modality, { feature: Matrix; logits: Matrix; attention: Matrix }>>;
}

export interface Predictor {
  predict(batch: Batch): Prediction;
  dispose(): void;
}

/** A network on TensorFlow in evaluation mode. @throws MerError bad_file when `state` does not fit `spec` */
export async function createPredictor(spec: ModelSpec, state: StateDict, file: string): Promise<Predictor> {
  const parameters = networkParameters(spec);
  checkState(state, parameters, file, spec);
  const native = await Native.load();
  const variables = new NetworkVariables(native, parameters, state);
  const evaluator = new Evaluator(native, variables, spec);
  return {
    predict: (batch) => evaluator.predict(batch),
    dispose: () => variables.dispose(),
  };
}

/** Forward passes in evaluation mode, each of which frees every value after its last use. */
export class Evaluator implements Pick<Predictor, 'predict'> {
  readonly #native: Native;
  readonly #variables: Variables;
  readonly #spec: ModelSpec;
  #plan: ReleasePlan | null = null;

  /** @param variables stay the caller's */
  constructor(native: Native, variables: Variables, spec: ModelSpec) {
    this.#native = native;
    this.#variables = variables;
    this.#spec = spec;
  }

  predict(batch: Batch): Prediction {
    this.#plan ??= this.#makePlan(batch);
    const plan = this.#plan;
    const tape = new Tape(this.#native);
    try {
      const output = plan.run(this.#native, tape, () => this.#forward(tape, batch));
      const matrix = (tensor: Tensor): Matrix => ({ data: this.#native.read(tensor), columns: tensor.shape[1]! });
      const branches: Prediction['branches'] = {};
      for (const modality of MODALITIES) {
        const branch = output.branches[modality];
        if (!branch) continue;
        const { feature, logits, attention } = branch;
        branches[modality] = { feature: matrix(feature), logits: matrix(logits), attention: matrix(attention) };
      }
      return { logits: matrix(output.logits), branches };
    } finally {
      tape.clear();
    }
  }

  #forward(tape: Tape, batch: Batch): NetworkOutput {
    const ops = new TensorFlowOps(tape, this.#variables, { training: false, frozen: () => true, seed: () => 0 });
    return forward(tape, ops, this.#spec, batch);
  }

  #makePlan(batch: Batch): ReleasePlan {
    const tape = new Tape(this.#native);
    try {
      return ReleasePlan.record(this.#native, tape, () => {
        const { logits, branches } = this.#forward(tape, smallest(batch));
        const read = Object.values(branches).flatMap((branch) => [branch.feature, branch.logits, branch.attention]);
        return [logits, ...read];
      });
    } finally {
      tape.clear();
    }
  }
}

/** The first clip with one face and one word. */
function smallest({ clips, speech, face, text, presence }: Batch): Batch {
  const one = () => Int32Array.of(1);
  return {
    clips: 1,
    speech: { data: speech.data.subarray(0, speech.data.length / clips), lengths: one() },
    face: { data: face.data.subarray(0, face.data.length / (clips * face.frames)), lengths: one(), frames: 1 },
    text: { data: text.data.subarray(0, text.data.length / (clips * text.words)), lengths: one(), words: 1 },
    presence: presence.subarray(0, MODALITIES.length),
  };
}
