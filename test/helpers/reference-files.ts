import { type StateDict, type StateTensor, writeSafetensors } from '../../common/safetensors.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import { formulaState } from './golden-weights.js';

/** Small networks that are built as the reference's are: words of 200, concatenating fusion. */
export const SMALL_SPEC: ModelSpec = {
  mode: 'multimodal',
  compat: 'seed',
  speechCoefficient: 'tiny',
  faceCoefficient: 'tiny',
  faceSize: 56,
  textLayers: 1,
  textHeads: 4,
  wordDim: 200,
  maxWords: 38,
  fan: 'self',
  fusion: 'concat',
};

/** What PyTorch's state dict holds beside the parameters that are used. */
export function withUnusedTensors(state: StateDict, prefix = ''): StateDict {
  const whole: StateDict = new Map(state);
  for (const [name, tensor] of state) {
    if (name.endsWith('running_var')) {
      const count = name.replace('running_var', 'num_batches_tracked');
      whole.set(count, { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) });
    }
    const layer = `${prefix}transformer_encoder.layers.0.`;
    if (name.startsWith(layer)) whole.set(`${prefix}encoder_layer.${name.slice(layer.length)}`, tensor);
  }
  return whole;
}

/** Writes such a network's state dict under the reference's names, changed by `change`. */
export async function writeReferenceFile(
  file: string,
  spec: ModelSpec,
  change: (state: StateDict) => StateDict = (state) => state,
): Promise<StateDict> {
  const state = formulaState(networkParameters(spec));
  const textPrefix = spec.mode === 'multimodal' ? 'text_model.' : '';
  await writeSafetensors(file, change(withUnusedTensors(state, textPrefix)));
  return state;
}

/** An efficientnet_pytorch state dict (three channels, with its classifier) of the size of the tiny network. */
export function backboneState(): StateDict {
  const prefix = 'backbone_model.';
  const state = formulaState(networkParameters({ ...SMALL_SPEC, mode: 'face' }));
  const own: StateDict = new Map();
  for (const [name, tensor] of state) if (name.startsWith(prefix)) own.set(name.slice(prefix.length), tensor);
  const features = own.get('_conv_head.weight')!.shape[0]!;
  own.set('_fc.weight', { dtype: 'F32', shape: [10, features], data: new Float32Array(10 * features) });
  return own;
}

/** Equality of large arrays, which `toEqual` takes seconds for. */
export function sameBytes(a: StateTensor['data'], b: StateTensor['data']): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: StateTensor['data']) =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}
