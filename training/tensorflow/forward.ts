import type { Modality } from '../../common/labels.js';
import type { BranchOutput } from '../../models/attention-bilstm.js';
import { faceNetwork } from '../../models/face.js';
import { multimodalNetwork } from '../../models/multimodal.js';
import type { ModelSpec } from '../../models/spec.js';
import { speechNetwork } from '../../models/speech.js';
import { textNetwork } from '../../models/text.js';
import { type Batch, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import type { Tensor } from './native.js';
import type { Tape } from './tape.js';
import type { Frames, Sequence, TensorFlowKinds, TensorFlowOps } from './tensorflow-ops.js';

const MEL_BANDS = 128;

export interface NetworkOutput {
  /** (batch, 7): the integrated logits of a multimodal network; of a unimodal one its only logits. */
  logits: Tensor;
  branches: Partial<Record<Modality, BranchOutput<TensorFlowKinds>>>;
}

/** Runs the network of `spec` on a batch; what its mode does not use of the batch is not touched. */
export function forward(tape: Tape, ops: TensorFlowOps, spec: ModelSpec, batch: Batch): NetworkOutput {
  const inputs = new BatchTensors(tape, spec, batch);
  switch (spec.mode) {
    case 'speech': {
      const speech = speechNetwork<TensorFlowKinds>(ops, spec, inputs.speech());
      return { logits: speech.logits, branches: { speech } };
    }
    case 'face': {
      const face = faceNetwork<TensorFlowKinds>(ops, spec, inputs.face());
      return { logits: face.logits, branches: { face } };
    }
    case 'text': {
      const text = textNetwork<TensorFlowKinds>(ops, spec, inputs.text());
      return { logits: text.logits, branches: { text } };
    }
    case 'multimodal':
      return multimodalNetwork<TensorFlowKinds>(ops, spec, {
        speech: inputs.speech(),
        face: inputs.face(),
        text: inputs.text(),
        presence: inputs.presence(),
      });
  }
}

/** The arrays of a batch as tensors that live as long as the tape's recording. */
class BatchTensors {
  readonly #tape: Tape;
  readonly #spec: ModelSpec;
  readonly #batch: Batch;

  constructor(tape: Tape, spec: ModelSpec, batch: Batch) {
    this.#tape = tape;
    this.#spec = spec;
    this.#batch = batch;
  }

  speech(): { logMel: Tensor; lengths: Tensor } {
    const { clips, speech } = this.#batch;
    // One channel: channels first and channels last are the same bytes.
    const logMel = this.#input(this.#tape.native.floats([clips, MEL_BANDS, SPEECH_FRAMES, 1], speech.data));
    return { logMel, lengths: this.#lengths(speech.lengths) };
  }

  face(): Frames {
    const { clips, face } = this.#batch;
    const { faceSize } = this.#spec;
    const shape = [clips, face.frames, faceSize, faceSize, 3];
    return {
      tensor: this.#input(this.#tape.native.bytes(shape, face.data)),
      lengths: this.#lengths(face.lengths),
      gain: face.gain ?? 1,
    };
  }

  text(): Sequence {
    const { clips, text } = this.#batch;
    const shape = [clips, text.words, this.#spec.wordDim];
    return { tensor: this.#input(this.#tape.native.floats(shape, text.data)), lengths: this.#lengths(text.lengths) };
  }

  presence(): Tensor {
    return this.#input(this.#tape.native.floats([this.#batch.clips, 3], this.#batch.presence));
  }

  #lengths(lengths: Int32Array): Tensor {
    return this.#input(this.#tape.native.ints([lengths.length], lengths));
  }

  #input(tensor: Tensor): Tensor {
    this.#tape.keep(tensor);
    return this.#tape.record(tensor, [], () => {});
  }
}
