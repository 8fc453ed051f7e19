import { EMOTION_COUNT } from '../../common/labels.js';
import type { Example } from './dataset.js';

/** Soft targets of a batch, row-major (clips, 7), by label. */
export interface Targets {
  inte: Float32Array;
  face: Float32Array;
  speech: Float32Array;
}

/** (1 - e) on the class and e / 6 on each of the others. */
export function smoothedTargets(examples: readonly Pick<Example, 'labels'>[], smoothing: number): Targets {
  const rows = (key: keyof Targets) => {
    const targets = new Float32Array(examples.length * EMOTION_COUNT).fill(smoothing / (EMOTION_COUNT - 1));
    for (const [clip, { labels }] of examples.entries()) targets[clip * EMOTION_COUNT + labels[key]] = 1 - smoothing;
    return targets;
  };
  return { inte: rows('inte'), face: rows('face'), speech: rows('speech') };
}
