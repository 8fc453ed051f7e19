import { MerError } from '../../common/errors.js';
import type { StateDict, StateTensor } from '../../common/safetensors.js';
import type { Coefficient } from '../../models/spec.js';
import { BACKBONE_PREFIX, efficientNetName, inferCoefficient } from './infer-network.js';
import type { Origin, STEM_STARTS } from './origin.js';
import { readWeights } from './read-weights.js';

const STEM = '_conv_stem.weight';

export interface BackboneStart {
  modality: 'speech' | 'face';
  coefficient: Coefficient;
  /** Prefix of the network's parameter names: empty, or that of the branch in a multimodal network. */
  prefix: string;
  /**
   * First filters of the speech network, which has one channel where the file has RGB: their mean over the three, or
   * as they are in `state`, at random, as in the reference.
   */
  stem: (typeof STEM_STARTS)[number];
}

/**
 * Puts the weights of an efficientnet_pytorch file (ImageNet) into `state`, in place of its EfficientNet's. The
 * classifier of the file is not used.
 *
 * @param file a PyTorch or safetensors file with that package's names, such as efficientnet-b0-355c32eb.pth
 * @throws MerError bad_file naming the first tensor that is missing or of another shape
 */
export async function loadBackbone(
  state: StateDict,
  file: string,
  { modality, coefficient, prefix, stem }: BackboneStart,
): Promise<Origin> {
  const { tensors, sha256 } = await readWeights(file);
  const start = prefix + BACKBONE_PREFIX[modality];
  for (const [name, current] of state) {
    if (!name.startsWith(start)) continue;
    const ownName = name.slice(start.length);
    const found = tensors.get(ownName);
    if (ownName === STEM && modality === 'speech' && found) {
      const [out, , height, width] = current.shape;
      checkShape(found, [out!, 3, height!, width!], ownName);
      if (stem === 'average') state.set(name, meanOverChannels(found));
      continue;
    }
    checkShape(found, current.shape, ownName);
    state.set(name, found);
  }
  return { backbone: { file, sha256, ...(modality === 'speech' ? { stem } : {}) } };

  function checkShape(found: StateTensor | undefined, shape: readonly number[], name: string): asserts found {
    if (found?.dtype === 'F32' && found.shape.join() === shape.join()) return;
    const actual = inferCoefficient(tensors, '');
    throw new MerError(
      'bad_file',
      `${file}: tensor ${name} is ${found ? `(${found.shape})` : 'missing'}, (${shape}) is needed for the EfficientNet-${efficientNetName(coefficient)} of the ${modality} network.`,
      actual !== null && actual !== coefficient
        ? `The file holds EfficientNet-${efficientNetName(actual)}: set --${modality}_coeff ${actual}, or give the file of ${efficientNetName(coefficient)}.`
        : 'Give a file of efficientnet_pytorch; a whole checkpoint goes to --speech_load_weights or --face_load_weights.',
    );
  }
}

/** (out, channels, height, width) -> (out, 1, height, width). */
function meanOverChannels({ shape, data }: StateTensor): StateTensor {
  const [out, channels, height, width] = shape as [number, number, number, number];
  const pixels = height * width;
  const mean = new Float32Array(out * pixels);
  for (let filter = 0; filter < out; filter++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) {
        sum += Number(data[(filter * channels + channel) * pixels + pixel]);
      }
      mean[filter * pixels + pixel] = sum / channels;
    }
  }
  return { dtype: 'F32', shape: [out, 1, height, width], data: mean };
}
