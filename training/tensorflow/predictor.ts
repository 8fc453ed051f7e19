import { MODALITIES, type Modality } from '../../common/labels.js';
import type { StateDict } from '../../common/safetensors.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import type { Batch } from '../../preprocessing/model-inputs.js';
import { checkState } from '../checkpoint.js';
import { forward } from './forward.js';
import { Native, type Tensor } from './native.js';
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
  return {
    predict: (batch) => predict(native, variables, spec, batch),
    dispose: () => variables.dispose(),
  };
}

/** One forward pass in evaluation mode. */
export function predict(native: Native, variables: Variables, spec: ModelSpec, batch: Batch): Prediction {
  const tape = new Tape(native);
  const ops = new TensorFlowOps(tape, variables, { training: false, frozen: () => true, seed: () => 0 });
  try {
    const output = forward(tape, ops, spec, batch);
    const matrix = (tensor: Tensor): Matrix => ({ data: native.read(tensor), columns: tensor.shape[1]! });
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
