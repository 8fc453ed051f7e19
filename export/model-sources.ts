import { PREPROCESSING_VERSION } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { EMOTIONS, type Modality } from '../common/labels.js';
import type { ModelSpec } from '../models/spec.js';
import type { Checkpoint } from '../training/checkpoint.js';
import type { ModelSource } from './build-models.js';
import { branchesOf } from './export-source.js';
import { branchGraph, fusionGraph, singleGraph } from './network-graphs.js';
import { SINGLE } from './onnx-network.js';

/** The graphs that a bundle has. */
export interface Parts {
  modalities: readonly Modality[];
  fusion: boolean;
  single: boolean;
}

/**
 * The graphs of a network of `spec`: all of them, but those of `without`.
 *
 * @throws MerError bad_argument when none is left, or when one graph is asked for that is one already
 */
export function partsOf(spec: ModelSpec, without: readonly Modality[], single: boolean): Parts {
  const modalities = branchesOf(spec).map(({ modality }) => modality);
  const kept = modalities.filter((modality) => !without.includes(modality));
  const fusion = spec.mode === 'multimodal';
  if (kept.length === 0) {
    const message = `A ${spec.mode} network without ${without.join(', ')} has no branch left.`;
    throw new MerError('bad_argument', message, 'Leave out fewer modalities.');
  }
  if (single && !fusion) {
    const message = `A ${spec.mode} network is a single graph already.`;
    throw new MerError('bad_argument', message, 'Leave out --single_file.');
  }
  return { modalities: kept, fusion, single };
}

/** The networks of a bundle as ONNX graphs, by the name of their file; all that `spec` has unless `parts` says less. */
export function modelSources(
  { spec, state }: Pick<Checkpoint, 'spec' | 'state'>,
  name: string,
  { modalities, fusion, single } = partsOf(spec, [], false),
): Record<string, ModelSource> {
  const metadata = {
    name,
    emotions: EMOTIONS.join(','),
    preprocessing_version: String(PREPROCESSING_VERSION),
    compat: spec.compat,
  };
  const sources: Record<string, ModelSource> = {};
  for (const { modality, prefix } of branchesOf(spec)) {
    if (!modalities.includes(modality)) continue;
    const graph = branchGraph(modality, spec, state, prefix);
    sources[modality] = { graph, metadata: { ...metadata, part: modality } };
  }
  if (fusion) sources.multimodal = { graph: fusionGraph(spec, state), metadata: { ...metadata, part: 'fusion' } };
  if (single) sources[SINGLE] = { graph: singleGraph(spec, state, modalities), metadata: { ...metadata, part: 'all' } };
  return sources;
}
