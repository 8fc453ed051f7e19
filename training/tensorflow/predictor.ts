import type { Modality } from '../../common/labels.js';
import type { StateDict } from '../../common/safetensors.js';
import type { ModelSpec } from '../../models/spec.js';
import type { Batch } from '../../preprocessing/model-inputs.js';

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
export declare function createPredictor(spec: ModelSpec, state: StateDict, file: string): Promise<Predictor>;
