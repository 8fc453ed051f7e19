import type { ClipFeatures } from './features.js';

/** What the model input of a trained network looks like; travels in checkpoints and bundles. */
export interface InputSpec {
  /** Side in pixels of the face input; must divide 224. Crops are averaged down to it. */
  faceSize: number;
  wordDim: number;
  maxWords: number;
}

/** Speech enters the network as exactly this many frames (6.4 s); shorter clips are zero-padded at the end. */
export const SPEECH_FRAMES = 400;

/** Evaluation-mode inputs of one clip; null where the modality is missing. */
export interface ModelInputs {
  /** (128, 400), `length` real frames. */
  speech: { data: Float32Array; length: number } | null;
  /** (length, faceSize, faceSize, 3) RGB. */
  face: { data: Uint8Array; length: number } | null;
  /** (length, wordDim). */
  text: { data: Float32Array; length: number } | null;
}

export declare function evaluationInputs(features: ClipFeatures, spec: InputSpec): ModelInputs;
