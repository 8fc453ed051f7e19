import { MODALITIES } from '../../common/labels.js';
import type { Random } from '../../common/random.js';
import type { Batch } from '../../preprocessing/model-inputs.js';
import type { TrainConfig } from '../config.js';
import type { Targets } from './targets.js';

const MEL_BANDS = 128;

/** Mixes the clips of a batch in place, as the flags ask: mixup first, cutmix where mixup did not fire. */
export function mixBatch(batch: Batch, targets: Targets, faceSize: number, config: TrainConfig, random: Random): void {
  if (config.mixup_alpha > 0 && random.uniform() < config.mixup_prob) {
    const lambda = random.beta(config.mixup_alpha, config.mixup_alpha);
    mixup(batch, targets, random.permutation(batch.clips), lambda);
  } else if (config.cutmix_beta > 0 && random.uniform() < config.cutmix_prob) {
    const lambda = random.beta(config.cutmix_beta, config.cutmix_beta);
    if (config.mode === 'face') {
      cutmix(batch.face.data, batch.clips, [batch.face.frames, faceSize, faceSize, 3], targets, lambda, random);
    } else if (config.mode === 'speech') {
      const width = batch.speech.data.length / batch.clips / MEL_BANDS;
      cutmix(batch.speech.data, batch.clips, [1, MEL_BANDS, width, 1], targets, lambda, random);
    }
  }
}

/**
 * Mixup (arXiv 1710.09412): x = lambda * x + (1 - lambda) * x[order], one lambda and one order for all modalities and
 * labels. Words are mixed as their embeddings (arXiv 1905.08941).
 */
export function mixup(batch: Batch, targets: Targets, order: readonly number[], lambda: number): void {
  for (const modality of MODALITIES) {
    const { data, lengths } = batch[modality];
    blend(data, batch.clips, order, lambda, modality === 'face');
    const longest = lengths.map((length, clip) => Math.max(length, lengths[order[clip]!]!));
    lengths.set(longest);
  }
  const present = batch.presence.map((value, i) => {
    const [clip, modality] = [Math.floor(i / MODALITIES.length), i % MODALITIES.length];
    return Math.max(value, batch.presence[order[clip]! * MODALITIES.length + modality]!);
  });
  batch.presence.set(present);
  mixTargets(targets, batch.clips, order, lambda);
}

/**
 * Cutmix (arXiv 1905.04899) with one box over all frames of a clip: the box is pasted from another clip, and the
 * labels are mixed by the exact share of pixels that stayed.
 * @param shape frames, height, width and channels of one clip
 */
export function cutmix(
  data: Float32Array | Uint8Array,
  clips: number,
  shape: readonly [number, number, number, number],
  targets: Targets,
  lambda: number,
  random: Random,
): number {
  const [frames, height, width, channels] = shape;
  const order = random.permutation(clips);
  const side = Math.sqrt(1 - lambda);
  const range = (length: number): [number, number] => {
    const centre = random.integer(length);
    const half = Math.floor((length * side) / 2);
    return [Math.max(0, centre - half), Math.min(length, centre + half)];
  };
  const [top, bottom] = range(height);
  const [left, right] = range(width);
  const source = data.slice();
  const clipSize = frames * height * width * channels;
  for (const [clip, other] of order.entries()) {
    for (let frame = 0; frame < frames; frame++) {
      for (let y = top; y < bottom; y++) {
        const row = ((frame * height + y) * width + left) * channels;
        const end = row + (right - left) * channels;
        data.set(source.subarray(other * clipSize + row, other * clipSize + end), clip * clipSize + row);
      }
    }
  }
  const kept = 1 - ((bottom - top) * (right - left)) / (height * width);
  mixTargets(targets, clips, order, kept);
  return kept;
}

function mixTargets(targets: Targets, clips: number, order: readonly number[], lambda: number): void {
  for (const rows of [targets.inte, targets.face, targets.speech]) blend(rows, clips, order, lambda, false);
}

function blend(
  data: Float32Array | Uint8Array,
  clips: number,
  order: readonly number[],
  lambda: number,
  rounds: boolean,
): void {
  const source = data.slice();
  const size = data.length / clips;
  const offset = rounds ? 0.5 : 0;
  for (const [clip, other] of order.entries()) {
    const from = other * size;
    const to = clip * size;
    for (let i = 0; i < size; i++) data[to + i] = lambda * source[to + i]! + (1 - lambda) * source[from + i]! + offset;
  }
}
