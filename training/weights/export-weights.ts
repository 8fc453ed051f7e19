import { MerError } from '../../common/errors.js';
import { type StateDict, writeSafetensors } from '../../common/safetensors.js';
import { BRANCH_PREFIX } from '../../models/multimodal.js';
import { networkParameters } from '../../models/parameters.js';
import type { ModelSpec } from '../../models/spec.js';
import { checkState, readCheckpoint } from '../checkpoint.js';

/** A layer that the reference's text network holds and never uses, and the one that it is filled from here. */
const TEMPLATE_LAYER = 'encoder_layer.';
const FIRST_LAYER = 'transformer_encoder.layers.0.';

/**
 * Writes a checkpoint's weights as the reference's state dict: safetensors that its network takes with
 * `load_state_dict(load_file(FILE), strict=True)`.
 *
 * @returns the network, and how many tensors were written
 * @throws MerError bad_argument for a network that the reference does not have; not_found, bad_file
 */
export async function exportWeights(run: string, out: string): Promise<{ spec: ModelSpec; tensors: number }> {
  const { spec, state, file } = await readCheckpoint(run);
  refuseForeign(spec, file);
  const parameters = networkParameters(spec);
  checkState(state, parameters, file, spec);
  const tensors: StateDict = new Map();
  for (const { name } of parameters) {
    tensors.set(name, state.get(name)!);
    if (!name.endsWith('.running_var')) continue;
    const count = name.replace(/running_var$/, 'num_batches_tracked');
    tensors.set(count, { dtype: 'I64', shape: [], data: new BigInt64Array(1) });
  }
  for (const prefix of ['', BRANCH_PREFIX.text]) {
    for (const [name, tensor] of [...tensors]) {
      if (!name.startsWith(prefix + FIRST_LAYER)) continue;
      tensors.set(prefix + TEMPLATE_LAYER + name.slice(prefix.length + FIRST_LAYER.length), tensor);
    }
  }
  await writeSafetensors(out, tensors, { format: 'pt' });
  return { spec, tensors: tensors.size };
}

function refuseForeign(spec: ModelSpec, file: string): void {
  const { mode, fusion, wordDim, speechCoefficient, faceCoefficient } = spec;
  const uses = (modality: string) => mode === 'multimodal' || mode === modality;
  const foreign =
    (mode === 'multimodal' && fusion !== 'concat' && `${fusion} fusion`) ||
    (uses('text') && wordDim !== 200 && `word vectors of ${wordDim} dimensions`) ||
    (uses('speech') && speechCoefficient === 'tiny' && 'a tiny speech network') ||
    (uses('face') && faceCoefficient === 'tiny' && 'a tiny face network');
  if (!foreign) return;
  throw new MerError(
    'bad_argument',
    `${file} has ${foreign}, which the reference does not have.`,
    'Train with --fusion concat, --speech_coeff and --face_coeff 0 to 7, and words of 200 dimensions.',
  );
}
