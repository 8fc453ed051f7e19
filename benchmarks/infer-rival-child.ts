import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { runChild } from '../common/child-main.js';
import { MODALITIES, type Modality } from '../common/labels.js';
import { Random } from '../common/random.js';
import { CROP_SIZE, MEL_BANDS } from '../preprocessing/features.js';
import { SPEECH_FRAMES } from '../preprocessing/model-inputs.js';
import { sessionOptions } from '../serving/engine/devices.js';
import { type NetworkCase, networkCaseSchema, networkConfigSchema } from './infer-rival-protocol.js';

const WORD_DIM = 200;

/** A measuring process of `mer bench infer`: runs the exported networks of the reference as serving runs them. */
runChild({
  configSchema: networkConfigSchema,
  requestSchema: networkCaseSchema,
  async setUp({ folder, threads }) {
    const open = (name: string) =>
      InferenceSession.create(path.join(folder, `${name}.onnx`), sessionOptions('cpu', threads));
    const branches = { speech: await open('speech'), face: await open('face'), text: await open('text') };
    const fusion = await open('multimodal');
    return {
      info: null,
      async handle(asked): Promise<{ seconds: number }> {
        const used = MODALITIES.filter((modality) => asked.network === 'multimodal' || asked.network === modality);
        const feeds = used.map((modality) => ({ modality, inputs: inputsOf(modality, asked) }));
        const start = performance.now();
        const features: Record<string, Tensor> = {};
        for (const { modality, inputs } of feeds) {
          const { feature } = await branches[modality].run(inputs);
          if (feature) features[modality] = feature;
        }
        if (asked.network === 'multimodal') {
          const presence = new Float32Array(asked.clips * MODALITIES.length).fill(1);
          features.presence = new Tensor('float32', presence, [asked.clips, MODALITIES.length]);
          await fusion.run(features);
        }
        return { seconds: (performance.now() - start) / 1000 };
      },
    };
  },
});

/** Random numbers: zeros would let a multiplication look as fast as it never is. */
function inputsOf(modality: Modality, { clips, frames, words }: NetworkCase): InferenceSession.FeedsType {
  const random = Random.for(1, 'bench infer', modality);
  const steps = { speech: SPEECH_FRAMES, face: frames, text: words }[modality];
  const lengths = new Tensor('int32', new Int32Array(clips).fill(steps), [clips]);
  const floats = (shape: number[]) =>
    Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => random.uniform());
  switch (modality) {
    case 'speech': {
      const shape = [clips, 1, MEL_BANDS, SPEECH_FRAMES];
      return { log_mel: new Tensor('float32', floats(shape), shape), lengths };
    }
    case 'face': {
      const shape = [clips, frames, CROP_SIZE, CROP_SIZE, 3];
      const pixels = Uint8Array.from(floats(shape), (value) => Math.floor(256 * value));
      const gain = new Tensor('float32', Float32Array.of(1), [1]);
      return { frames: new Tensor('uint8', pixels, shape), lengths, gain };
    }
    case 'text': {
      const shape = [clips, words, WORD_DIM];
      return { words: new Tensor('float32', floats(shape), shape), lengths };
    }
  }
}
