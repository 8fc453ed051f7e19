import { MODALITIES, type Modality } from './labels.js';

/** All non-empty subsets, the smaller ones first, each in the order given: of three modalities, seven. */
export function nonEmptySubsets(modalities: readonly Modality[]): Modality[][] {
  const subsets: Modality[][] = [];
  for (let mask = 1; mask < 1 << modalities.length; mask++) {
    subsets.push(modalities.filter((_, index) => mask & (1 << index)));
  }
  return subsets.sort((a, b) => a.length - b.length);
}

/** The name of a set of modalities, such as `speech+text`, whatever order it is given in. */
export function subsetName(subset: readonly Modality[]): string {
  return MODALITIES.filter((modality) => subset.includes(modality)).join('+');
}
