import os from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MODALITIES, type Modality } from '../common/labels.js';
import { MEL_BANDS } from '../preprocessing/features.js';
import { type Batch, SPEECH_FRAMES } from '../preprocessing/model-inputs.js';

/** `inte` is the integrated emotion, the others are what each branch says alone. */
export const LOGITS = ['inte', ...MODALITIES] as const;
export type NetworkLogits = Record<(typeof LOGITS)[number], Float32Array>;

/** A multimodal network's ONNX files on ONNX Runtime: float32, CPU. For the parity gate; serving has its engine. */
export class OnnxNetwork {
  readonly #branches: Record<Modality, InferenceSession>;
  readonly #fusion: InferenceSession;

  private constructor(branches: Record<Modality, InferenceSession>, fusion: InferenceSession) {
    this.#branches = branches;
    this.#fusion = fusion;
  }

  /** @param directory holds speech.onnx, face.onnx, text.onnx and multimodal.onnx */
  static async open(directory: string): Promise<OnnxNetwork> {
    const open = (name: string) =>
      InferenceSession.create(path.join(directory, `${name}.onnx`), {
        executionProviders: ['cpu'],
        intraOpNumThreads: os.availableParallelism(),
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      });
    const [speech, face, text] = [await open('speech'), await open('face'), await open('text')];
    return new OnnxNetwork({ speech, face, text }, await open('multimodal'));
  }

  /** All logits of a batch, row-major (clips, 7); a missing modality reaches the fusion as zeros, as it does in serving. */
  async run(batch: Batch): Promise<NetworkLogits> {
    const { clips } = batch;
    const logits: Partial<NetworkLogits> = {};
    const feeds: Record<string, Tensor> = {
      presence: new Tensor('float32', batch.presence, [clips, MODALITIES.length]),
    };
    for (const [index, modality] of MODALITIES.entries()) {
      const outputs = await this.#branches[modality].run(branchFeeds(batch, modality));
      logits[modality] = floats(outputs.logits);
      const feature = Float32Array.from(floats(outputs.feature));
      const size = feature.length / clips;
      for (let clip = 0; clip < clips; clip++) {
        if (batch.presence[clip * MODALITIES.length + index] === 0) feature.fill(0, clip * size, (clip + 1) * size);
      }
      feeds[modality] = new Tensor('float32', feature, [clips, size]);
    }
    const { speech, face, text } = logits;
    const inte = floats((await this.#fusion.run(feeds)).logits);
    return { inte, speech: speech!, face: face!, text: text! };
  }

  async dispose(): Promise<void> {
    for (const session of [...Object.values(this.#branches), this.#fusion]) await session.release();
  }
}

/** The inputs of one branch's graph, as `bundleSchema` states them. The sizes that a batch does not name follow. */
export function branchFeeds(batch: Batch, modality: Modality): Record<string, Tensor> {
  const { clips } = batch;
  const lengths = new Tensor('int32', batch[modality].lengths, [clips]);
  switch (modality) {
    case 'speech':
      return { log_mel: new Tensor('float32', batch.speech.data, [clips, 1, MEL_BANDS, SPEECH_FRAMES]), lengths };
    case 'face': {
      const { data, frames, gain = 1 } = batch.face;
      const side = Math.sqrt(data.length / (clips * frames * 3));
      return {
        frames: new Tensor('uint8', data, [clips, frames, side, side, 3]),
        lengths,
        gain: new Tensor('float32', Float32Array.of(gain), [1]),
      };
    }
    case 'text': {
      const { data, words } = batch.text;
      return { words: new Tensor('float32', data, [clips, words, data.length / (clips * words)]), lengths };
    }
  }
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new TypeError('The graph lacks a float32 output.');
  return tensor.data;
}
